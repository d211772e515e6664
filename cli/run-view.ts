import type { AtlasEvent, Plan } from "../schemas/generated/events.ts";
import { oneLine, style, tell } from "./output.ts";

/** Width of the column that says whose line it is; the summary of a run has the same. */
const LABEL = 11;
const LONGEST = 100;

/** What is left of a line for what models, tools and agents wrote. */
const room = (): number => Math.max(24, Math.min(LONGEST, (process.stderr.columns || LONGEST) - LABEL - 14));

/** A line with the name of what it is about. */
export const labelled = (label: string, text: string): string =>
  `${style("dim", label.padEnd(LABEL))}${text}`;

/** A word of ours, and what somebody else wrote, made harmless. */
const remark = (ours: string, theirs: string | null | undefined): string =>
  theirs ? `${ours} ${style("dim", `— ${oneLine(theirs, room())}`)}` : ours;

/** How long something took: `340 ms`, `2.5 s`, or `3 min 20 s`. */
export function timeOf(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

const within = (micros: number | null | undefined): string =>
  micros == null ? "" : style("dim", ` in ${timeOf(micros / 1000)}`);

const VERDICTS: Record<string, string> = {
  valid: style("green", "✔ the teacher accepted it"),
  invalid: style("yellow", "✖ the teacher rejected it"),
  none: style("yellow", "? no verdict of the teacher"),
};

const STATUSES: Record<string, readonly ["green" | "yellow" | "red", string]> = {
  succeeded: ["green", "✔"],
  completed: ["green", "✔"],
  cancelled: ["yellow", "■"],
  skipped: ["yellow", "–"],
};

/** A status with its sign. */
export function statusText(word: string): string {
  const [look, sign] = STATUSES[word] ?? (["red", "✖"] as const);
  return style(look, `${sign} ${oneLine(word, 20)}`);
}

/** A plan as a list; a plan of one step is the task itself and says nothing. */
function planLines({ steps }: Plan, heading: string): string[] {
  if (steps.length < 2) return [];
  const width = String(steps.reduce((most, { id }) => Math.max(most, id), 0)).length;
  return [
    labelled("plan", heading),
    ...steps.map(({ id, description, depends_on }) => {
      const after = depends_on.length === 0 ? "" : style("dim", ` (after ${depends_on.join(", ")})`);
      return labelled("", `${String(id).padStart(width)}. ${oneLine(description, room())}${after}`);
    }),
  ];
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/** What a session has told so far that later lines need. */
interface Seen {
  /** How many steps the plan has. */
  steps: number;
}

type OfStep = { step_id?: number | null; attempt?: number | null };

/** What an event means to somebody who watches; nothing for what only machines need. */
function linesOf(event: AtlasEvent, seen: Seen): string[] {
  // Steps may run side by side, so each line says whose it is; a single step goes without saying.
  const of = ({ step_id, attempt }: OfStep, text: string): string => {
    if (seen.steps < 2 || step_id == null) return labelled(attempt == null ? "" : `attempt ${attempt}`, text);
    const retry = attempt == null || attempt < 2 ? "" : style("dim", `attempt ${attempt} `);
    return labelled(`step ${step_id}`, `${retry}${text}`);
  };
  switch (event.type) {
    case "LaneSelected": {
      const sure = event.confidence == null ? "" : `, confidence ${event.confidence.toFixed(2)}`;
      const why = style("dim", ` (${oneLine(event.reason, room())}${sure})`);
      return [labelled("lane", `${style("cyan", oneLine(event.lane, 20))}${why}`)];
    }
    case "PlanProposed":
      seen.steps = event.plan.steps.length;
      return planLines(event.plan, `${counted(seen.steps, "step")} by the ${oneLine(event.author, 20)}`);
    case "PlanReviewed":
      seen.steps = event.plan.steps.length;
      return [
        ...(event.changed ? planLines(event.plan, "as the teacher changed it") : []),
        ...event.concerns.map((concern) => labelled("plan", remark(style("yellow", "concern"), concern))),
      ];
    case "StepStarted":
      return seen.steps < 2 ? [] : [of(event, `${style("bold", "▸")} ${oneLine(event.description, room())}`)];
    case "ToolCallStarted":
      return [of(event, remark(`⚙ ${oneLine(event.name, 40)} called`, event.arguments))];
    case "ToolCallEnded": {
      const came = event.error ? style("red", "failed") : "answered";
      const what = `⚙ ${oneLine(event.name, 40)} ${came}${within(event.duration_us)}`;
      return [of(event, remark(what, event.error ?? event.output))];
    }
    case "AttemptEnded":
      if (event.status === "completed")
        return [of(event, `the student answered${within(event.duration_us)}`)];
      return [of(event, remark(`${statusText(event.status)}${within(event.duration_us)}`, event.error))];
    case "StepValidated": {
      const verdict = VERDICTS[event.verdict] ?? oneLine(event.verdict, 20);
      return [of(event, remark(verdict, event.reason))];
    }
    case "GuidanceGiven":
      return [of(event, remark("↻ guidance", event.note))];
    case "StepSkipped":
      return [of(event, remark(statusText("skipped"), event.reason))];
    case "StepEnded":
      // Where the teacher had the last word, it has been said.
      if (seen.steps < 2 || (event.status === "succeeded" && event.attempts > 0)) return [];
      return [of(event, remark(statusText(event.status), event.reason))];
    case "JudgementMade":
      return [
        labelled("judge", remark(`${oneLine(event.judge, 40)} ${event.score.toFixed(2)}`, event.rationale)),
      ];
    case "JudgementFailed":
      return [
        labelled("judge", remark(`${oneLine(event.judge, 40)} ${style("yellow", "no score")}`, event.reason)),
      ];
    default:
      return [];
  }
}

/**
 * Renders a session's events as they come; made anew for each session.
 *
 * @returns a function that gives an event's lines: none for most
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
    for (const line of lines(event)) tell(line);
  };
}
