import type { Database } from "../../database/database.ts";
import type { LogRecord } from "../../log/event-log.ts";
import { createReadModels, type ReadModels } from "../../projections/read-models.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { partitionOf } from "../../schemas/partition.ts";
import { keyOf, type Topic, topicOf } from "../../schemas/topics.ts";

/** Partitions of the logs that these tests pretend to read. */
export const PARTITIONS = 4;

/** Gives events their places in a log. */
export function logOf(events: readonly AtlasEvent[]): LogRecord[] {
  const ends = new Map<string, number>();
  return events.map((event) => {
    const topic: Topic = topicOf(event.type);
    const key = keyOf(event);
    const partition = partitionOf(key, PARTITIONS);
    const place = `${topic}/${partition}`;
    const offset = ends.get(place) ?? 0;
    ends.set(place, offset + 1);
    return { topic, partition, offset, key, appendedAt: event.meta.occurred_at, event };
  });
}

/** Applies a batch in one transaction, as the runner does. */
export const applyUnit = (db: Database, { apply }: ReadModels, batch: readonly LogRecord[]): Promise<void> =>
  db.transaction((tx) => apply(batch, { tx, partition: batch[0]!.partition, emit: () => undefined }));

/** Applies records in batches of one topic and partition, in the order in which they are given. */
export async function applyRecords(
  db: Database,
  records: readonly LogRecord[],
  { batchSize = 500, readModels = createReadModels() }: { batchSize?: number; readModels?: ReadModels } = {},
): Promise<void> {
  let batch: LogRecord[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await applyUnit(db, readModels, batch);
    batch = [];
  };
  for (const record of records) {
    const first = batch[0];
    const together = first?.topic === record.topic && first.partition === record.partition;
    if (!together || batch.length === batchSize) await flush();
    batch.push(record);
  }
  await flush();
}

const TABLES = {
  sessions: "id",
  plans: "session_id",
  step_results: "session_id, step_id",
  step_attempts: "session_id, step_id, attempt",
  guidance_notes: "session_id, step_id, sequence",
  trajectory_events: "session_id, id",
  learning_registry: "learning_key",
  session_facts: "session_uuid, event_id",
};

/** Every row of the read models, as text. */
export async function everything(db: Database): Promise<Record<string, string[]>> {
  const tables: Record<string, string[]> = {};
  for (const [table, order] of Object.entries(TABLES)) {
    const { rows } = await db.query<{ row: string }>(
      `select t::text as row from ${table} t order by ${order}`,
    );
    tables[table] = rows.map(({ row }) => row);
  }
  return tables;
}

/** Empties the read models; sessions keep their integers. */
export async function emptyReadModels(db: Database): Promise<void> {
  await db.query(`truncate ${Object.keys(TABLES).join(", ")}, atlas_log.dead_letters`);
}
