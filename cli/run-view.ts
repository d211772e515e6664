import type { AtlasEvent, Plan } from "../schemas/generated/events.ts";
import { oneLine, style, tell } from "./output.ts";

const WIDTH = 88;
const INDENT = "  ";

/** A word of ours, in colour, and what somebody else wrote, made harmless. */
const remark = (ours: string, theirs: string | null | undefined): string =>
  theirs ? `${ours} ${style("dim", `— ${oneLine(theirs, WIDTH)}`)}` : ours;

/** How long something took: `340 ms`, or `2.5 s`. */
export const timeOf = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;

const within = (micros: number | null | undefined): string =>
  micros == null ? "" : style("dim", ` in ${timeOf(micros / 1000)}`);

const VERDICTS: Record<string, string> = {
  valid: style("green", "accepted"),
  invalid: style("yellow", "rejected"),
  none: style("yellow", "no verdict"),
};

const STATUSES: Record<string, "green" | "yellow" | "red"> = {
  succeeded: "green",
  completed: "green",
  cancelled: "yellow",
  skipped: "yellow",
};
const status = (word: string): string => style(STATUSES[word] ?? "red", oneLine(word, 20));

/** A plan as a list; a plan of one step is the task itself and says nothing. */
function planLines(heading: string, { steps }: Plan): string[] {
  if (steps.length < 2) return [];
  return [
    heading,
    ...steps.map(({ id, description, depends_on }) => {
      const after = depends_on.length === 0 ? "" : style("dim", ` (after ${depends_on.join(", ")})`);
      return `${INDENT}${id}. ${oneLine(description, WIDTH)}${after}`;
    }),
  ];
}

/** What a session has told so far that later lines need. */
interface Seen {
  /** How many steps the plan has. */
  steps: number;
}

/** What an event means to somebody who watches; nothing for what only machines need. */
function linesOf(event: AtlasEvent, seen: Seen): string[] {
  // Steps may run side by side, so each line says whose it is; a single step goes without saying.
  const of = (step: number | null | undefined): string =>
    seen.steps < 2 || step == null ? "" : `step ${step}: `;
  switch (event.type) {
    case "LaneSelected": {
      const sure = event.confidence == null ? "" : `, confidence ${event.confidence.toFixed(2)}`;
      return [`lane ${style("cyan", oneLine(event.lane, 20))} (${oneLine(event.reason, WIDTH)}${sure})`];
    }
    case "PlanProposed":
      seen.steps = event.plan.steps.length;
      return planLines("plan", event.plan);
    case "PlanReviewed":
      seen.steps = event.plan.steps.length;
      return [
        ...(event.changed ? planLines("plan, as the teacher changed it", event.plan) : []),
        ...event.concerns.map((concern) => remark("teacher on the plan", concern)),
      ];
    case "StepStarted":
      return seen.steps < 2 ? [] : [`${of(event.step_id)}${oneLine(event.description, WIDTH)}`];
    case "AttemptStarted": {
      const what =
        event.attempt === 1 ? "student works on it" : `student tries again, attempt ${event.attempt}`;
      return [`${of(event.step_id)}${what}`];
    }
    case "ToolCallStarted":
      return [`${of(event.step_id)}${remark(`tool ${oneLine(event.name, 40)}`, event.arguments)}`];
    case "ToolCallEnded": {
      const came = event.error ? style("red", "failed") : "answered";
      const what = `tool ${oneLine(event.name, 40)} ${came}${within(event.duration_us)}`;
      return [`${of(event.step_id)}${remark(what, event.error ?? event.output)}`];
    }
    case "AttemptEnded": {
      const what = `attempt ${event.attempt} ${status(event.status)}${within(event.duration_us)}`;
      return [`${of(event.step_id)}${remark(what, event.error)}`];
    }
    case "StepValidated": {
      const verdict = VERDICTS[event.verdict] ?? oneLine(event.verdict, 20);
      return [`${of(event.step_id)}${remark(`teacher: ${verdict}`, event.reason)}`];
    }
    case "GuidanceGiven":
      return [`${of(event.step_id)}${remark("guidance", event.note)}`];
    case "StepSkipped":
      return [`${of(event.step_id)}${remark(status("skipped"), event.reason)}`];
    case "StepEnded":
      return seen.steps < 2 ? [] : [`${of(event.step_id)}${remark(status(event.status), event.reason)}`];
    case "JudgementMade":
      return [remark(`judge: ${event.score.toFixed(2)}`, event.rationale)];
    case "JudgementFailed":
      return [remark("judge: no score", event.reason)];
    case "SessionEnded":
      return [remark(`${status(event.status)}${within(event.duration_us)}`, event.error)];
    default:
      return [];
  }
}

/**
 * Renders a session's events as they come; made anew for each session.
 *
 * @returns a function that gives an event's lines, without indentation: none for most
 */
export function sessionLines(): (event: AtlasEvent) => string[] {
  const seen: Seen = { steps: 0 };
  return (event) => linesOf(event, seen);
}

/** Prints what happens in a session while it happens, to standard error. */
export function watch(quiet: boolean | undefined): (event: AtlasEvent) => void {
  const lines = sessionLines();
  return (event) => {
    if (quiet === true) return;
    for (const line of lines(event)) tell(`${INDENT}${line}`);
  };
}
