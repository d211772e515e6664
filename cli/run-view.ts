import type { AtlasEvent } from "../schemas/generated/events.ts";
import { oneLine, style, tell } from "./output.ts";

const WIDTH = 88;

/** A word of ours, in colour, and what somebody else wrote, made harmless. */
const remark = (ours: string, theirs: string | null | undefined): string =>
  theirs ? `${ours} ${style("dim", `— ${oneLine(theirs, WIDTH)}`)}` : ours;

const VERDICTS: Record<string, string> = {
  valid: style("green", "accepted"),
  invalid: style("yellow", "rejected"),
  none: style("yellow", "no verdict"),
};

/** What an event means to somebody who watches; undefined for what only machines need. */
function lineOf(event: AtlasEvent): string | undefined {
  switch (event.type) {
    case "AttemptStarted":
      return event.attempt === 1 ? "student works on it" : `student tries again, attempt ${event.attempt}`;
    case "ToolCallStarted":
      return remark("tool", event.name);
    case "StepValidated":
      return remark(`teacher: ${VERDICTS[event.verdict]}`, event.reason);
    case "GuidanceGiven":
      return remark("guidance", event.note);
    case "JudgementMade":
      return remark(`judge: ${event.score.toFixed(2)}`, event.rationale);
    case "JudgementFailed":
      return remark("judge: no score", event.reason);
    case "SessionEnded":
      return remark(style(event.status === "succeeded" ? "green" : "red", event.status), event.error);
    default:
      return undefined;
  }
}

/** Prints what happens in a session while it happens, a line each. */
export const watch =
  (quiet: boolean | undefined) =>
  (event: AtlasEvent): void => {
    const line = quiet === true ? undefined : lineOf(event);
    if (line !== undefined) tell(`  ${line}`);
  };
