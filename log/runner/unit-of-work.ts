import type { Queryable } from "../../database/database.ts";
import type { Masked } from "../../schemas/masked.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { Apply, LogRecord } from "../event-log.ts";
import type { AssignmentKey } from "./assignment-store.ts";
import { SeenSources } from "./seen-sources.ts";

/** What a unit of work applies, and to what. */
export interface WorkUnit {
  key: AssignmentKey;
  topic: Topic;
  /** Records of the assignment's partition of the topic, in order. */
  batch: readonly LogRecord[];
  apply: Apply;
  /**
   * For a record that was set aside and is tried again: the next offset that the group has to apply. It is applied also
   * behind later records of its source.
   */
  appliedTo?: number | undefined;
}

/** An event that a unit emitted, and the record that it comes from. */
export interface Emitted {
  event: Masked;
  cause: LogRecord;
}

/**
 * Applies a batch in the caller's transaction, once: what the group has seen of a source is dropped, and what it sees
 * now is remembered. Checkpoints and what becomes of emitted events are the caller's.
 *
 * @returns what was emitted, in order
 */
export async function applyOnce(
  tx: Queryable,
  { key, topic, batch, apply, appliedTo }: WorkUnit,
): Promise<Emitted[]> {
  const emitted: Emitted[] = [];
  if (batch.length === 0) return emitted;
  const seen = await SeenSources.load(tx, { key, topic }, batch, appliedTo);
  const fresh = batch.filter((record) => seen.isNew(record) || appliedTo !== undefined);
  const emit = (events: readonly Masked[], cause: LogRecord = batch.at(-1)!): void => {
    for (const event of events) emitted.push({ event, cause });
  };
  if (fresh.length > 0) await apply(fresh, { tx, partition: key.partition, emit });
  await seen.save(tx);
  return emitted;
}
