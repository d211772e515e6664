import type { Micros } from "../../schemas/generated/events.ts";
import type { RecordedRow } from "./recorded-row.ts";

/** When something happened, and whether that is a guess. */
export interface Moment {
  at: Micros;
  assumed: boolean;
}

/** The moments of a recorded session: its start, and each of its messages. */
export interface SessionTimes {
  start: Moment;
  messages: Moment[];
}

/**
 * Finds when each message was said. Without a time of its own it follows the one before it by a microsecond; times
 * never decrease, and what was put right counts as assumed.
 *
 * @param assumedStart where a conversation without any recorded time begins
 */
export function timesOf(row: RecordedRow, assumedStart: Micros): SessionTimes {
  const firstTimed = row.messages.findIndex(({ at }) => at !== undefined);
  const firstTime = row.messages[firstTimed]?.at;
  const beforeFirst = firstTime === undefined ? undefined : Math.max(0, firstTime - firstTimed);
  const start = Math.min(row.startedAt ?? Number.POSITIVE_INFINITY, beforeFirst ?? Number.POSITIVE_INFINITY);
  let next = Number.isFinite(start) ? start : assumedStart;
  const messages = row.messages.map(({ at }): Moment => {
    const moment = at === undefined || at < next - 1 ? { at: next, assumed: true } : { at, assumed: false };
    next = moment.at + 1;
    return moment;
  });
  const first = messages[0]!;
  const isStart = row.startedAt !== undefined && row.startedAt <= first.at;
  return { start: isStart ? { at: row.startedAt!, assumed: false } : first, messages };
}
