import type { Micros } from "../../schemas/generated/events.ts";
import type { RecordedConversation } from "../formats/format.ts";

/** When something happened, and whether that is a guess. */
export interface Moment {
  at: Micros;
  assumed: boolean;
}

/** The moments of a recorded session: its start, each of its messages, and its end. */
export interface SessionTimes {
  start: Moment;
  messages: Moment[];
  end: Moment;
}

/**
 * Finds when each message was said. Without a time of its own it follows the one before it by a microsecond; times
 * never decrease, and what was put right counts as assumed.
 *
 * @param assumedStart where a conversation without any recorded time begins
 */
export function timesOf(
  {
    messages: recorded,
    startedAt,
    endedAt,
  }: Pick<RecordedConversation, "messages" | "startedAt" | "endedAt">,
  assumedStart: Micros,
): SessionTimes {
  const firstTimed = recorded.findIndex(({ at }) => at !== undefined);
  const firstTime = recorded[firstTimed]?.at;
  const beforeFirst = firstTime === undefined ? undefined : Math.max(0, firstTime - firstTimed);
  const start = Math.min(startedAt ?? Number.POSITIVE_INFINITY, beforeFirst ?? Number.POSITIVE_INFINITY);
  let next = Number.isFinite(start) ? start : assumedStart;
  const messages = recorded.map(({ at }): Moment => {
    const moment = at === undefined || at < next - 1 ? { at: next, assumed: true } : { at, assumed: false };
    next = moment.at + 1;
    return moment;
  });
  const first = messages[0]!;
  const last = messages.at(-1)!;
  const isStart = startedAt !== undefined && startedAt <= first.at;
  return {
    start: isStart ? { at: startedAt, assumed: false } : first,
    messages,
    end: endedAt !== undefined && endedAt >= last.at ? { at: endedAt, assumed: false } : last,
  };
}
