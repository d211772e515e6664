import type { LogRecord } from "../../log/event-log.ts";
import type { Starts } from "../../log/runner/group-starts.ts";

/** Why a fact is not told. */
export type Silence = "history" | "branch" | "revision" | "age";

/**
 * Why nobody is told about a fact, or undefined where it is news: it reached the log after the sink began, on the
 * live topics, as the first result of its derivation, and no longer than this after it happened. Takes the log's
 * clock, not this machine's, so that the answer is the same whenever it is asked.
 *
 * @param maxAgeHours between what happened and its reaching the log
 */
export function silenceOf(record: LogRecord, starts: Starts, maxAgeHours: number): Silence | undefined {
  const { topic, partition, offset, appendedAt, event } = record;
  const { derivation, occurred_at } = event.meta;
  if (offset < (starts.get(topic)?.[partition] ?? 0)) return "history";
  if (derivation?.branch != null) return "branch";
  if ((derivation?.revision ?? 0) > 0) return "revision";
  if (appendedAt - occurred_at > maxAgeHours * 3_600_000_000) return "age";
  return undefined;
}
