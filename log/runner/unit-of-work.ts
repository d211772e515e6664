import type { Queryable } from "../../database/database.ts";
import type { Masked } from "../../schemas/masked.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { Apply, LogRecord } from "../event-log.ts";
import { type AssignmentKey, loadSequences, saveSequences } from "./assignment-store.ts";
import { Repetitions } from "./repetitions.ts";

/** What a unit of work applies, and to what. */
export interface WorkUnit {
  key: AssignmentKey;
  topic: Topic;
  /** Records of the assignment's partition of the topic, in order. */
  batch: readonly LogRecord[];
  apply: Apply;
  /** Apply also what comes behind later records of its source: a record that was set aside, and is tried again. */
  late?: boolean;
}

/**
 * Applies a batch in the caller's transaction, once: what the group has seen of a source is dropped, and what it sees
 * now is remembered. Checkpoints and what becomes of emitted events are the caller's.
 *
 * @returns what was emitted, in order
 */
export async function applyOnce(
  tx: Queryable,
  { key, topic, batch, apply, late = false }: WorkUnit,
): Promise<Masked[]> {
  const emitted: Masked[] = [];
  if (batch.length === 0) return emitted;
  const sources = new Map(batch.map((record) => [record.event.meta.source, record]));
  const seen = await loadSequences(tx, key, topic, [...sources.keys()]);
  const repetitions = new Repetitions();
  for (const [source, record] of sources) repetitions.start(record, seen.get(source) ?? -1);
  const advanced = new Map<string, number>();
  const fresh = batch.filter((record) => {
    if (!repetitions.isNew(record)) return late;
    advanced.set(record.event.meta.source, record.event.meta.sequence);
    return true;
  });
  const emit = (events: readonly Masked[]): void => {
    for (const event of events) emitted.push(event);
  };
  if (fresh.length > 0) await apply(fresh, { tx, partition: key.partition, emit });
  await saveSequences(tx, key, topic, advanced);
  return emitted;
}
