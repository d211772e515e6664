import type { SessionTrace, TraceAttempt, TraceStep } from "../../traces/session-trace.ts";
import { excerpt } from "../excerpt.ts";

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

/** What a judge is shown of a session: what happened, and nothing that was made of it, such as an earlier score. */
export interface JudgedSession {
  task: string;
  reference_answer?: string;
  agent: string;
  lane?: string;
  status: string;
  final_answer?: string;
  error?: string;
  steps: { id: number; description: string; status: string; attempts: JudgedAttempt[] }[];
}

/** Characters of one text, from generous to scarce: the first with which the whole stays within the budget is taken. */
const LIMITS = [12_000, 4000, 1000, 250];
const BUDGET = 80_000;
const MOST_TOOL_CALLS = 60;

type Shorten = (text: string) => string;
type ToolCalls = Map<string, JudgedToolCall[]>;

function texts<K extends string>(values: Record<K, string | null | undefined>, shorten: Shorten) {
  const known = Object.entries<string | null | undefined>(values).filter(
    (entry) => typeof entry[1] === "string",
  );
  return Object.fromEntries(known.map(([key, text]) => [key, shorten(text!)])) as { [P in K]?: string };
}

const placeOf = (step: number | null | undefined, attempt: number | null | undefined): string =>
  `${step}/${attempt}`;

function toolCallsOf({ events }: SessionTrace, shorten: Shorten): ToolCalls {
  const byPlace: ToolCalls = new Map();
  const byId = new Map<string, JudgedToolCall>();
  for (const event of events) {
    if (event.type === "ToolCallStarted") {
      const call = { name: event.name, arguments: shorten(event.arguments) };
      const place = placeOf(event.step_id, event.attempt);
      byId.set(event.call_id, call);
      byPlace.set(place, [...(byPlace.get(place) ?? []), call]);
    } else if (event.type === "ToolCallEnded") {
      const { output, error } = event;
      Object.assign(byId.get(event.call_id) ?? {}, texts({ output, error }, shorten));
    }
  }
  return byPlace;
}

function attemptOf(
  { step_id }: TraceStep,
  attempt: TraceAttempt,
  tools: ToolCalls,
  shorten: Shorten,
): JudgedAttempt {
  const calls = tools.get(placeOf(step_id, attempt.attempt)) ?? [];
  const { verdict, reason } = attempt.validation ?? {};
  return {
    attempt: attempt.attempt,
    guidance: attempt.guidance.map(shorten),
    tools: calls.slice(0, MOST_TOOL_CALLS),
    ...(calls.length > MOST_TOOL_CALLS ? { tool_calls_left_out: calls.length - MOST_TOOL_CALLS } : {}),
    ...texts({ answer: attempt.output, error: attempt.error, verdict, reason }, shorten),
  };
}

function viewOf(trace: SessionTrace, limit: number): JudgedSession {
  const shorten: Shorten = (text) => excerpt(text, limit);
  const tools = toolCallsOf(trace, shorten);
  return {
    task: shorten(trace.started?.task ?? ""),
    ...texts({ reference_answer: trace.started?.ground_truth }, shorten),
    agent: trace.started?.agent ?? "",
    ...texts({ lane: trace.lanes.at(-1)?.lane }, shorten),
    status: trace.status,
    steps: trace.steps.map((step) => ({
      id: step.step_id,
      description: shorten(step.description),
      status: step.status,
      attempts: step.attempts.map((attempt) => attemptOf(step, attempt, tools, shorten)),
    })),
    ...texts({ final_answer: trace.final_answer, error: trace.error }, shorten),
  };
}

/**
 * What a judge is shown of a session, short enough for a prompt: long texts lose their middle. Scores, rewards and
 * reviews are left out, also where the trace holds some.
 *
 * @example
 * const shown = judgedSession(foldSession(recorder.history()));
 */
export function judgedSession(trace: SessionTrace): JudgedSession {
  let session = viewOf(trace, LIMITS[0]!);
  for (const limit of LIMITS.slice(1)) {
    if (JSON.stringify(session).length <= BUDGET) break;
    session = viewOf(trace, limit);
  }
  return session;
}
