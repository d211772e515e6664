import { excerpt } from "../models/excerpt.ts";
import type { SessionTrace, TraceAttempt, TraceStep } from "../traces/session-trace.ts";

/** What a judge is shown of a tool call. */
interface JudgedToolCall {
  name: string;
  arguments: string;
  output?: string;
  error?: string;
}

/** What a judge is shown of an attempt. */
interface JudgedAttempt {
  attempt: number;
  guidance: string[];
  tools: JudgedToolCall[];
  tool_calls_left_out?: number;
  answer?: string;
  error?: string;
  verdict?: string;
  reason?: string;
}

/** What a judge is shown of a step. */
interface JudgedStep {
  id: number;
  description: string;
  status: string;
  attempts: JudgedAttempt[];
  attempts_left_out?: number;
}

/** What a judge is shown of any session, whether it scores the whole or a step. */
interface JudgedTask {
  task: string;
  reference_answer?: string;
  agent: string;
  lane?: string;
}

/** What a judge is shown of a session: what happened, and nothing that was made of it, such as an earlier score. */
export interface JudgedSession extends JudgedTask {
  status: string;
  final_answer?: string;
  error?: string;
  steps: JudgedStep[];
  steps_left_out?: number;
}

/** What a judge is shown of a step: the step, and in short what stood around it. */
export interface JudgedStepInSession extends JudgedTask {
  step: JudgedStep;
  other_steps: { id: number; description: string; status: string; output?: string }[];
  other_steps_left_out?: number;
}

/** Most characters of what a judge is shown, as JSON. */
export const JUDGED_BUDGET = 80_000;

/** How much is shown: characters of one text, and how many of what there can be any number of. */
interface Limits {
  text: number;
  tools: number;
  attempts: number;
  steps: number;
}

/** From generous to scarce: the first is taken with which the whole stays within the budget; the last always does. */
const LIMITS: readonly Limits[] = [
  { text: 12_000, tools: 60, attempts: 20, steps: 1000 },
  { text: 4000, tools: 60, attempts: 20, steps: 1000 },
  { text: 1000, tools: 60, attempts: 20, steps: 1000 },
  { text: 250, tools: 60, attempts: 20, steps: 1000 },
  { text: 250, tools: 10, attempts: 5, steps: 100 },
  { text: 120, tools: 3, attempts: 3, steps: 30 },
  { text: 120, tools: 1, attempts: 2, steps: 4 },
];

type Shorten = (text: string) => string;
type ToolCalls = ReadonlyMap<string, JudgedToolCall[]>;

function texts<K extends string>(values: Record<K, string | null | undefined>, shorten: Shorten) {
  const known = Object.entries<string | null | undefined>(values).filter(
    (entry) => typeof entry[1] === "string",
  );
  return Object.fromEntries(known.map(([key, text]) => [key, shorten(text!)])) as { [P in K]?: string };
}

/** The first and the last of a list that is too long: what it began with and what it came to. */
function ends<T>(list: readonly T[], most: number): { kept: T[]; leftOut: number } {
  if (list.length <= most) return { kept: [...list], leftOut: 0 };
  const head = Math.floor(most / 2);
  return {
    kept: [...list.slice(0, head), ...list.slice(list.length - (most - head))],
    leftOut: list.length - most,
  };
}

const placeOf = (step: number | null | undefined, attempt: number | null | undefined): string =>
  `${step}/${attempt}`;

function toolCallsOf({ events }: SessionTrace, shorten: Shorten): ToolCalls {
  const byPlace = new Map<string, JudgedToolCall[]>();
  const byId = new Map<string, JudgedToolCall>();
  for (const event of events) {
    if (event.type === "ToolCallStarted") {
      const call = { name: shorten(event.name), arguments: shorten(event.arguments) };
      const place = placeOf(event.step_id, event.attempt);
      byId.set(event.call_id, call);
      const calls = byPlace.get(place);
      if (calls === undefined) byPlace.set(place, [call]);
      else calls.push(call);
    } else if (event.type === "ToolCallEnded") {
      const { output, error } = event;
      Object.assign(byId.get(event.call_id) ?? {}, texts({ output, error }, shorten));
    }
  }
  return byPlace;
}

/** Shows a session's parts within limits. */
function viewer(trace: SessionTrace, limits: Limits) {
  const shorten: Shorten = (text) => excerpt(text, limits.text);
  const tools = toolCallsOf(trace, shorten);

  function attemptOf({ step_id }: TraceStep, attempt: TraceAttempt): JudgedAttempt {
    const calls = ends(tools.get(placeOf(step_id, attempt.attempt)) ?? [], limits.tools);
    const { verdict, reason } = attempt.validation ?? {};
    return {
      attempt: attempt.attempt,
      guidance: ends(attempt.guidance, limits.attempts).kept.map(shorten),
      tools: calls.kept,
      ...(calls.leftOut > 0 ? { tool_calls_left_out: calls.leftOut } : {}),
      ...texts({ answer: attempt.output, error: attempt.error, verdict, reason }, shorten),
    };
  }

  function stepOf(step: TraceStep): JudgedStep {
    const attempts = ends(step.attempts, limits.attempts);
    return {
      id: step.step_id,
      description: shorten(step.description),
      status: step.status,
      attempts: attempts.kept.map((attempt) => attemptOf(step, attempt)),
      ...(attempts.leftOut > 0 ? { attempts_left_out: attempts.leftOut } : {}),
    };
  }

  const task: JudgedTask = {
    task: shorten(trace.started?.task ?? ""),
    ...texts({ reference_answer: trace.started?.ground_truth }, shorten),
    agent: shorten(trace.started?.agent ?? ""),
    ...texts({ lane: trace.lanes.at(-1)?.lane }, shorten),
  };
  return { shorten, stepOf, task };
}

type Viewer = ReturnType<typeof viewer>;

function sessionView(trace: SessionTrace, { shorten, stepOf, task }: Viewer, limits: Limits): JudgedSession {
  const steps = ends(trace.steps, limits.steps);
  return {
    ...task,
    status: trace.status,
    steps: steps.kept.map(stepOf),
    ...(steps.leftOut > 0 ? { steps_left_out: steps.leftOut } : {}),
    ...texts({ final_answer: trace.final_answer, error: trace.error }, shorten),
  };
}

/** Of other steps an idea will do. */
const OTHER_STEP_TEXT = 500;

function stepView(
  { trace, step }: { trace: SessionTrace; step: TraceStep },
  { shorten, stepOf, task }: Viewer,
  limits: Limits,
): JudgedStepInSession {
  const brief: Shorten = (text) => excerpt(text, Math.min(limits.text, OTHER_STEP_TEXT));
  const others = ends(
    trace.steps.filter(({ step_id }) => step_id !== step.step_id),
    limits.steps,
  );
  return {
    ...task,
    step: stepOf(step),
    other_steps: others.kept.map(({ step_id, description, status, output }) => ({
      id: step_id,
      description: shorten(description),
      status,
      ...texts({ output }, brief),
    })),
    ...(others.leftOut > 0 ? { other_steps_left_out: others.leftOut } : {}),
  };
}

function withinBudget<T>(view: (limits: Limits) => T): T {
  for (const limits of LIMITS) {
    const shown = view(limits);
    if (JSON.stringify(shown).length <= JUDGED_BUDGET) return shown;
  }
  return view(LIMITS.at(-1)!);
}

/** What judges are shown of one session. */
export interface JudgedViews {
  session(): JudgedSession;
  step(step: TraceStep): JudgedStepInSession;
}

/**
 * What judges are shown of a session, or of one of its steps, short enough for a prompt: long texts lose their middle,
 * and so do long lists. Scores, rewards and reviews are left out, also where the trace holds some. The session is gone
 * through once for all its steps.
 *
 * @example
 * const shown = judgedViews(foldSession(recorder.history())).session();
 */
export function judgedViews(trace: SessionTrace): JudgedViews {
  const viewers = new Map<Limits, Viewer>();
  const viewerWithin = (limits: Limits): Viewer => {
    const made = viewers.get(limits) ?? viewer(trace, limits);
    viewers.set(limits, made);
    return made;
  };
  return {
    session: () => withinBudget((limits) => sessionView(trace, viewerWithin(limits), limits)),
    step: (step) => withinBudget((limits) => stepView({ trace, step }, viewerWithin(limits), limits)),
  };
}
