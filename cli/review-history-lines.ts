import type { ClockOff } from "../app/api/review-clock.ts";
import type { ReviewEntry, ReviewHistory, ReviewVoice } from "../projections/review-history.ts";
import { isoOf } from "../schemas/identity.ts";
import { harmless, oneLine, style } from "./output.ts";

/** What became of a decision that was just made. */
export interface DecisionOutcome {
  sessionId: string;
  /** Whom or what it overrode; null where nobody had said anything. */
  overrode: ReviewEntry["overrode"];
  /** Who decided otherwise at a later time, so that this decision changed nothing. */
  overruledBy: string | null;
}

const voice = ({ because, author }: Pick<ReviewVoice, "because" | "author">): string =>
  because === "rule" ? "a rule" : harmless(author ?? "somebody");

const time = (at: number): string => isoOf(at).slice(0, 19).replace("T", " ");

/** What a person is told about a decision that they just made. */
export function outcomeLines({ overrode, overruledBy }: DecisionOutcome): string[] {
  if (overruledBy !== null)
    return [style("yellow", `It changes nothing: ${harmless(overruledBy)} decided at a later time.`)];
  if (overrode === null) return [];
  return [style("yellow", `It overrode ${voice(overrode)}, who had said ${overrode.said}.`)];
}

const span = (ms: number): string => {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
};

/** What a person is told whose clock is far off, or who decides after somebody whose clock is. */
export function clockLine({ byMs, than }: ClockOff): string {
  const behind = `${span(byMs)} ${byMs < 0 ? "behind" : "ahead of"}`;
  if (than === "decision")
    return `This computer's clock is ${behind} an earlier decision, so yours was put right after that. Set the clock that is wrong.`;
  const other = than === "session" ? "the end of the session" : "the database's clock";
  return `This computer's clock is ${behind} ${other}. Of several decisions the latest stands, by its time: set the clock.`;
}

function changeLines(change: ReviewEntry): string[] {
  const { at, from, to, note, overrode, eventId, sawStatus } = change;
  const cause = change.because === "rule" ? "assessment" : "decision";
  const lines = [
    `${time(at)}  ${from} → ${style("bold", to)}  by ${voice(change)}${change.stands ? "  (stands)" : ""}`,
    `    because of ${cause} ${eventId}`,
  ];
  if (note !== null) lines.push(`    note: ${oneLine(note, 160)}`);
  if (overrode !== null)
    lines.push(`    overrode ${voice(overrode)}, who had said ${overrode.said} (${overrode.eventId})`);
  if (sawStatus !== null && sawStatus !== from)
    lines.push(`    decided on seeing ${harmless(sawStatus)}; it was ${from} by then`);
  return lines;
}

/** Every word on a session, and the decisions that changed nothing. */
export function historyLines({ sessionId, status, changes, overruled }: ReviewHistory): string[] {
  return [
    `Session ${sessionId} is ${style("bold", status)}.`,
    ...(changes.length === 0 ? ["Nobody has said anything about it."] : changes.flatMap(changeLines)),
    ...overruled.map(
      ({ at, author, decision, by }) =>
        `${time(at)}  ${harmless(author)} said ${decision}, which changed nothing: ${harmless(by ?? "somebody")} decided at a later time`,
    ),
  ];
}

/** The last change of a session's review. */
export function diffLines({ sessionId, status, changes }: ReviewHistory): string[] {
  const last = changes.at(-1);
  if (last === undefined) return [`Session ${sessionId} is ${status}; nothing has changed.`];
  return [
    `Session ${sessionId}`,
    style("red", `- ${last.from}`),
    style("green", `+ ${last.to}`),
    ...changeLines(last).slice(1),
    `    by ${voice(last)} at ${time(last.at)}`,
  ];
}
