import { isTransient } from "../../database/transient.ts";
import { isAtlasError } from "../../errors/atlas-error.ts";
import type { Masked } from "../../schemas/masked.ts";
import type { DeadLetter } from "../dead-letters.ts";
import type { Apply, EventLog, LogRecord } from "../event-log.ts";
import { toOutgoing } from "../outgoing.ts";
import { loadCheckpoints, lockAssignments, publishInUnit } from "./assignment-store.ts";
import { claimDeadLetter } from "./dead-letter-store.ts";
import { applyOnce } from "./unit-of-work.ts";
import { isShadow, putShadow, shadowedOf } from "./versions.ts";

/** A record that was set aside, and how to apply it after all. */
export interface RecordRetry {
  letter: DeadLetter;
  record: LogRecord;
  apply: Apply;
  /** Says in the log that it was applied. */
  fact: Masked;
}

/** What became of a retry. */
export type RetryEnd =
  /** Another retry was first, and nothing was changed. */
  | "already-applied"
  | "applied"
  /** Applied, and what came of it waits in the outbox until a member of the group runs. */
  | "unpublished";

/** How long to wait for whoever owns the assignment to publish what came of a retry. */
const PUBLISH_MS = 15_000;

/**
 * Applies a record that was set aside, in one unit of work with the fact that it was: whoever owns the assignment
 * waits meanwhile, and publishes what came of it.
 *
 * @param log with a database
 */
export async function retryRecord(log: EventLog, retry: RecordRetry): Promise<RetryEnd> {
  const { letter, record, apply, fact } = retry;
  const { group, partition, topic } = letter;
  const key = { group, partition };
  const applied = await log.db!.transaction(async (tx) => {
    await lockAssignments(tx, group, partition);
    if (!(await claimDeadLetter(tx, letter))) return false;
    const appliedTo = (await loadCheckpoints(tx, key)).get(topic)?.nextOffset ?? 0;
    const emitted = await applyOnce(tx, { key, topic, batch: [record], apply, appliedTo });
    const shadow = await isShadow(tx, key);
    const outgoing = toOutgoing([...(shadow ? [] : emitted.map(({ event }) => event)), fact], log.partitions);
    if (shadow) await putShadow(tx, key, shadowedOf(emitted, log.partitions));
    await publishInUnit(tx, log, key, outgoing);
    return true;
  });
  if (!applied) return "already-applied";
  log.announce?.();
  if (log.appendInUnit !== undefined) return "applied";
  try {
    await log.caughtUp(group, new Map(), { timeoutMs: PUBLISH_MS });
    return "applied";
  } catch (error) {
    if (isAtlasError(error, "ATLAS_CONSUMER_BEHIND") || isTransient(error)) return "unpublished";
    throw error;
  }
}
