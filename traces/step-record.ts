import { isoOf } from "../schemas/identity.ts";
import type { StepTurns } from "./recorded-turns.ts";
import type { SessionTrace, TraceAttempt, TraceStep, TraceValidation } from "./session-trace.ts";

/** Steps that ran: what was skipped has neither an output nor a lesson. */
export const stepsThatRan = ({ steps }: Pick<SessionTrace, "steps">): TraceStep[] =>
  steps.filter(({ ran }) => ran);

/**
 * The teacher's verdict in the terms of readers: valid, not valid, or undecided.
 *
 * @param guidance what the agent was told after it, before its next attempt
 */
export function validationRecord(
  validation: TraceValidation | null | undefined,
  guidance: readonly string[] = [],
) {
  if (validation == null) return null;
  const { verdict, reason, cached } = validation;
  const valid = verdict === "none" ? null : verdict === "valid";
  const told = guidance.length === 0 ? null : guidance.join("\n");
  return { valid, guidance: told, status: verdict, reason, cached };
}

/** The last attempt at a step, which its output is of, and the one before it. */
function lastAttempts({
  attempts,
}: TraceStep): [last: TraceAttempt | undefined, before: TraceAttempt | undefined] {
  return [attempts.at(-1), attempts.at(-2)];
}

/** What the agent knew of the teacher before it gave the step's output: the verdict on that output is not part of it. */
export function knownBefore(step: TraceStep) {
  const [last, before] = lastAttempts(step);
  const guidance = last?.guidance ?? [];
  return { guidance, validation: validationRecord(before?.validation, guidance) };
}

const milliseconds = (micros: number | null | undefined): number | null =>
  micros == null ? null : micros / 1000;

/** What the agent was told after an attempt: nothing where it was the last. */
const guidanceAfter = ({ attempt }: TraceAttempt, { attempts }: Pick<TraceStep, "attempts">): string[] =>
  attempts.find((other) => other.attempt > attempt)?.guidance ?? [];

/** An attempt as part of its step's history. An output that became the step's is not repeated. */
export function attemptRecord(attempt: TraceAttempt, step: TraceStep) {
  return {
    attempt: attempt.attempt,
    status: attempt.status,
    guidance: attempt.guidance,
    output: attempt.output === step.output ? null : attempt.output,
    error: attempt.error,
    duration_ms: milliseconds(attempt.duration_us),
    evaluation: { validation: validationRecord(attempt.validation, guidanceAfter(attempt, step)) },
  };
}

/** What is known of a step besides what it gave, of one type for each path. */
export function stepMetadata(step: TraceStep) {
  return {
    status: step.status,
    reason: step.reason,
    started_at: step.started_at === null ? null : isoOf(step.started_at),
    ended_at: step.ended_at === null ? null : isoOf(step.ended_at),
    depends_on: step.depends_on,
    attempt_history: step.attempts.map((attempt) => attemptRecord(attempt, step)),
  };
}

/** How long a step took, in milliseconds. */
export function runtimeRecord(step: TraceStep) {
  const last = step.attempts.at(-1);
  const measured = step.started_at !== null && step.ended_at !== null;
  return {
    timings_ms: {
      student_ms: milliseconds(last?.duration_us),
      validation_ms: milliseconds(last?.validation?.duration_us),
      total_ms: measured ? milliseconds(step.ended_at! - step.started_at!) : null,
    },
  };
}

/** How much of earlier outputs a step's context repeats at most, in UTF-16 units; they are whole in their own steps. */
const CONTEXT_LENGTH = 256 * 1024;
/** How much of the turns before it, where the whole conversation is one. */
const TURNS_LENGTH = 32 * 1024;

/** The steps that a step rests on: what it depends on, directly or not; without a plan all that ran before it. */
function stepsBehind(step: TraceStep, trace: Pick<SessionTrace, "plan" | "steps">): TraceStep[] {
  const earlier = stepsThatRan(trace).filter(({ step_id }) => step_id < step.step_id);
  if (trace.plan === null) return earlier;
  const needed = new Set(step.depends_on);
  for (const other of earlier.toReversed()) {
    if (needed.has(other.step_id)) for (const id of other.depends_on) needed.add(id);
  }
  return earlier.filter(({ step_id }) => needed.has(step_id));
}

/** The longest end of a list of texts that has room. */
function nearest<T>(list: readonly T[], textOf: (item: T) => string, room: number): T[] {
  let length = 0;
  let first = list.length;
  while (first > 0) {
    length += textOf(list[first - 1]!).length;
    if (length > room) break;
    first -= 1;
  }
  return list.slice(first);
}

/**
 * The results that a step could build on: those of the steps before it, or in a recorded conversation the turns before
 * it. Nearest first where not all have room.
 *
 * @param turns of a recorded conversation
 */
export function contextRecord(
  step: TraceStep,
  trace: Pick<SessionTrace, "plan" | "steps">,
  turns?: readonly StepTurns[],
) {
  const behind = stepsBehind(step, trace);
  const texts =
    turns === undefined
      ? new Map(behind.map(({ step_id, output }) => [step_id, output ?? ""]))
      : new Map(turns.map(({ step_id, text }) => [step_id, text]));
  const textOf = ({ step_id }: TraceStep): string => texts.get(step_id) ?? "";
  const near = nearest(behind, textOf, turns === undefined ? CONTEXT_LENGTH : TURNS_LENGTH);
  return {
    prior_results: Object.fromEntries(
      near.map((other) => [
        String(other.step_id),
        { output_text: textOf(other), status: other.status, notes: other.guidance },
      ]),
    ),
    prior_results_text: Object.fromEntries(near.map((other) => [String(other.step_id), textOf(other)])),
  };
}
