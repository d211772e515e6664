import type { EventLog } from "../../log/event-log.ts";
import { countOutboxes } from "../../log/runner/assignment-store.ts";
import { lagOf } from "../../log/runner/caught-up.ts";
import { countDeadLetters } from "../../log/runner/dead-letter-store.ts";
import { appliedBy } from "../../log/runner/positions.ts";
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
  outbox: { group: string; count: number }[];
}

async function assignmentsOf(
  log: EventLog,
  { group, topics, assignments }: OwnedGroup,
): Promise<WorkerState["assignments"]> {
  const db = log.db!;
  const lag = await lagOf(db, group, await log.ends(topics));
  const applied = new Map<number, number>();
  for (const { partition, nextOffset } of await appliedBy(db, group))
    applied.set(partition, (applied.get(partition) ?? 0) + nextOffset);
  return assignments.map((partition) => ({
    group,
    partition,
    appliedRecords: applied.get(partition) ?? 0,
    lagRecords: lag.reduce((sum, each) => sum + (each.partition === partition ? each.behind : 0), 0),
  }));
}

/** Counts over tables that grow are looked up this often at most, however many ask. */
const KEEP_MS = 15_000;
/** And the more seldom the longer they take: they may keep the database busy for a twentieth of the time. */
const KEEP_TIMES = 20;

/**
 * Looks up what a worker's metrics show.
 *
 * @param owned the worker's groups, as they are now
 * @param keepMs for how long counts of sessions are good enough; as long as they cost unless told
 */
export function stateReader(
  log: EventLog,
  owned: () => readonly OwnedGroup[],
  keepMs?: number,
): () => Promise<WorkerState> {
  const db = log.db!;
  let counted: Pick<WorkerState, "sessions" | "deadLetters"> | undefined;
  let goodUntil = Number.NEGATIVE_INFINITY;

  async function count(): Promise<Pick<WorkerState, "sessions" | "deadLetters">> {
    const begun = performance.now();
    if (counted !== undefined && begun < goodUntil) return counted;
    const sessions = await db.query<WorkerState["sessions"][number]>(
      `select status, review_status as "reviewStatus", count(*)::int as count from sessions
        group by status, review_status`,
    );
    counted = { sessions: sessions.rows, deadLetters: await countDeadLetters(db) };
    const now = performance.now();
    goodUntil = now + (keepMs ?? Math.max(KEEP_MS, KEEP_TIMES * (now - begun)));
    return counted;
  }

  return async () => {
    const assignments: WorkerState["assignments"] = [];
    for (const group of owned())
      for (const assignment of await assignmentsOf(log, group)) assignments.push(assignment);
    return {
      assignments,
      ...(await count()),
      deliveries: await countOpen(db),
      outbox: await countOutboxes(db),
    };
  };
}
