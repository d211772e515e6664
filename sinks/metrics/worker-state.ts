import type { Database } from "../../database/database.ts";
import type { EventLog } from "../../log/event-log.ts";
import { lagOf } from "../../log/runner/caught-up.ts";
import type { Topic } from "../../schemas/topics.ts";
import { countOpen, type OpenDeliveries } from "../alerts/delivery-store.ts";

/** A group and the partitions of it that this worker owns. */
export interface OwnedGroup {
  group: string;
  topics: readonly Topic[];
  assignments: readonly number[];
}

/** What a worker looks up to be measured. */
export interface WorkerState {
  assignments: { group: string; partition: number; appliedRecords: number; lagRecords: number }[];
  sessions: { status: string; reviewStatus: string; count: number }[];
  deadLetters: { group: string; count: number }[];
  deliveries: OpenDeliveries[];
}

async function appliedBy(db: Database, group: string): Promise<Map<number, number>> {
  const { rows } = await db.query<{ partition: number; applied: number }>(
    `select partition, sum(next_offset)::float8 as applied from atlas_log.checkpoints
      where group_id = $1 group by partition`,
    [group],
  );
  return new Map(rows.map(({ partition, applied }) => [partition, applied]));
}

async function assignmentsOf(
  log: EventLog,
  { group, topics, assignments }: OwnedGroup,
): Promise<WorkerState["assignments"]> {
  const db = log.db!;
  const lag = await lagOf(db, group, await log.ends(topics));
  const applied = await appliedBy(db, group);
  return assignments.map((partition) => ({
    group,
    partition,
    appliedRecords: applied.get(partition) ?? 0,
    lagRecords: lag.reduce((sum, each) => sum + (each.partition === partition ? each.behind : 0), 0),
  }));
}

/** Counts over tables that grow are looked up this often at most, however many ask. */
const KEEP_MS = 15_000;

/**
 * Looks up what a worker's metrics show.
 *
 * @param owned the worker's groups, as they are now
 * @param keepMs for how long counts of sessions are good enough
 */
export function stateReader(
  log: EventLog,
  owned: () => readonly OwnedGroup[],
  keepMs = KEEP_MS,
): () => Promise<WorkerState> {
  const db = log.db!;
  let counted: Pick<WorkerState, "sessions" | "deadLetters"> | undefined;
  let countedAt = Number.NEGATIVE_INFINITY;

  async function count(): Promise<Pick<WorkerState, "sessions" | "deadLetters">> {
    if (counted !== undefined && performance.now() - countedAt < keepMs) return counted;
    const sessions = await db.query<WorkerState["sessions"][number]>(
      `select status, review_status as "reviewStatus", count(*)::int as count from sessions
        group by status, review_status`,
    );
    const letters = await db.query<WorkerState["deadLetters"][number]>(
      `select group_id as "group", count(*)::int as count from atlas_log.dead_letters
        where retried_at is null group by group_id`,
    );
    counted = { sessions: sessions.rows, deadLetters: letters.rows };
    countedAt = performance.now();
    return counted;
  }

  return async () => {
    const assignments: WorkerState["assignments"] = [];
    for (const group of owned()) assignments.push(...(await assignmentsOf(log, group)));
    return { assignments, ...(await count()), deliveries: await countOpen(db) };
  };
}
