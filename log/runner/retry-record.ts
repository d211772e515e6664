import { decodeEvent } from "../../schemas/codec.ts";
import { alreadyMasked, type Masked } from "../../schemas/masked.ts";
import type { DeadLetter } from "../dead-letters.ts";
import type { Apply, EventLog, LogRecord } from "../event-log.ts";
import { toOutgoing } from "../outgoing.ts";
import {
  type AssignmentKey,
  clearOutbox,
  lockAssignments,
  putOutbox,
  readOutbox,
} from "./assignment-store.ts";
import { claimDeadLetter } from "./dead-letter-store.ts";
import { applyOnce } from "./unit-of-work.ts";

/** A record that was set aside, and how to apply it after all. */
export interface RecordRetry {
  letter: DeadLetter;
  record: LogRecord;
  apply: Apply;
  /** Says in the log that it was applied. */
  fact: Masked;
}

/**
 * Applies a record that was set aside, in one unit of work with the fact that it was: whoever owns the assignment
 * waits meanwhile.
 *
 * @param log with a database
 * @returns false, with nothing changed, when another retry was first
 */
export async function retryRecord(log: EventLog, retry: RecordRetry): Promise<boolean> {
  const { letter, record, apply, fact } = retry;
  const { group, partition, topic } = letter;
  const key = { group, partition };
  const applied = await log.db!.transaction(async (tx) => {
    await lockAssignments(tx, group, partition);
    if (!(await claimDeadLetter(tx, letter))) return false;
    const emitted = await applyOnce(tx, { key, topic, batch: [record], apply, late: true });
    const outgoing = toOutgoing([...emitted, fact], log.partitions);
    if (log.appendInUnit !== undefined) await log.appendInUnit(tx, outgoing);
    else await putOutbox(tx, key, outgoing);
    return true;
  });
  if (applied && log.appendInUnit === undefined) await publish(log, key);
  return applied;
}

/** Publishes what the unit left; the assignment's owner does the same, and repetitions are dropped by readers. */
async function publish(log: EventLog, key: AssignmentKey): Promise<void> {
  const db = log.db!;
  for (;;) {
    const { records, last } = await readOutbox(db, key, 500);
    if (records.length === 0) return;
    await log.append(records.map(({ fingerprint, body }) => alreadyMasked(decodeEvent(fingerprint, body))));
    await clearOutbox(db, key, last);
  }
}
