import type { Queryable } from "../database/database.ts";
import { READ_MODELS } from "../derivation/stage-list.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import type { Apply, EventLog, Position, RawRecord } from "../log/event-log.ts";
import { decodeRecord } from "../log/records.ts";
import { loadCheckpoints } from "../log/runner/assignment-store.ts";
import { offsetsSetAside } from "../log/runner/dead-letter-store.ts";
import { createReadModels } from "../projections/read-models.ts";
import { dropOwn } from "../projections/session-facts.ts";
import { tablesIn } from "../projections/tables.ts";
import type { Uuid } from "../schemas/generated/events.ts";

/** A record that the read models refused. */
export interface RefusedRecord extends Position {
  sessionId: Uuid | null;
}

/**
 * How the read models take a record that they refused. One of a session's own events belongs between those that were
 * applied since: so the session's rows are made again from all its events, in the order of the log, and come out as
 * if the record had never been refused. What other topics say may come at any time.
 */
export async function retryInReadModels(log: EventLog, refused: RefusedRecord): Promise<Apply> {
  const { apply } = createReadModels();
  const { sessionId, topic, partition } = refused;
  if (topic !== "atlas.sessions" || sessionId === null) return apply;
  const { records, end } = await recordsOf(log, sessionId, partition);
  return async (batch, unit) => {
    const { next, aside } = await placesOf(unit.tx, partition);
    if (next > end) {
      throw new AtlasError("ATLAS_CONSUMER_BEHIND", "the session went on while its record was retried", {
        hint: "Retry it again.",
        retryable: true,
      });
    }
    const applied = records.filter(({ offset }) => offset < next && !aside.has(offset));
    const others = applied.filter(({ offset }) => offset !== refused.offset).map(decodeRecord);
    await dropOwn(unit.tx, tablesIn(), [sessionId]);
    await apply(
      [...others, ...batch].sort((a, b) => a.offset - b.offset),
      unit,
    );
  };
}

/** A session's own records as the log has them now, and how far was read. */
async function recordsOf(
  log: EventLog,
  session: Uuid,
  partition: number,
): Promise<{ records: RawRecord[]; end: number }> {
  const records: RawRecord[] = [];
  let end = 0;
  for await (const batch of log.readRaw(["atlas.sessions"], { partition })) {
    for (const record of batch) {
      if (record.key === session && record.fingerprint !== undefined) records.push(record);
      end = record.offset + 1;
    }
  }
  return { records, end };
}

/** Up to where the read models have applied the partition, and which of its records they refused. */
async function placesOf(tx: Queryable, partition: number): Promise<{ next: number; aside: Set<number> }> {
  const key = { group: READ_MODELS, partition };
  const checkpoint = (await loadCheckpoints(tx, key)).get("atlas.sessions");
  return { next: checkpoint?.nextOffset ?? 0, aside: await offsetsSetAside(tx, key, "atlas.sessions") };
}
