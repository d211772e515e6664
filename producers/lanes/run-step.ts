import { AtlasError, explain, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import type { ModelClient } from "../../models/model-client.ts";
import { interruptionOf, type SessionScope, stepSignal } from "../../recording/session-scope.ts";
import type { PlanStep } from "../../schemas/generated/events.ts";
import { jsonText } from "../../schemas/json-text.ts";
import type { SessionStatus } from "../../schemas/vocabulary.ts";
import type { Agent, AgentReply } from "../agents/agent.ts";
import type { PriorResult } from "../prompts/step.ts";
import { attemptStep } from "../student.ts";
import { validateAttempt } from "../teacher.ts";
import type { VerdictCache } from "../verdict-cache.ts";

/** What is needed for a step. */
export interface StepWork {
  /** What the user wants, as the teacher is shown it. */
  task: string;
  /** What the student is asked. */
  prompt: string;
  /** Which prompt that is; undefined where it is the user's own words. */
  promptVersion?: string | undefined;
  agent: Agent;
  /** Validates every attempt; undefined where nobody does. */
  teacher: ModelClient | undefined;
  /** Further attempts after one that was rejected. */
  maxRetries: number;
  /** What came of the steps that this one depends on; undefined where the task is done in one step. */
  priorResults?: readonly PriorResult[] | undefined;
  verdicts?: VerdictCache | undefined;
  /** Milliseconds for all attempts together. */
  timeoutMs?: number | undefined;
}

/** How the work on a step, or on the whole task, came out. */
export interface Outcome {
  status: SessionStatus;
  /** The last answer, accepted or not; of a plan that was not finished, what its steps achieved. */
  reply?: AgentReply;
  /** Set unless it succeeded. */
  error?: AtlasError;
}

/** How the work on a step came out. */
export interface StepOutcome extends Outcome {
  attempts: number;
}

/** The outcome of work that threw what nobody foresaw. */
export function unexpectedOutcome(error: unknown): Outcome & { error: AtlasError } {
  const known = isAtlasError(error)
    ? error
    : new AtlasError("ATLAS_UNEXPECTED", messageOf(error), { cause: error });
  return { status: "failed", error: known };
}

/** @param verdict the last one; where an outage is why there is none, that is the cause */
const rejected = (
  step: PlanStep,
  attempts: number,
  { reason, outage }: Awaited<ReturnType<typeof validateAttempt>>,
): AtlasError => {
  const verdict = attempts === 1 ? "did not accept the attempt" : `accepted none of ${attempts} attempts`;
  const because = reason === undefined ? "" : `: ${reason}`;
  const message = `step ${step.id}: the teacher ${verdict}${because}`;
  return new AtlasError("ATLAS_ATTEMPT_REJECTED", message, outage === undefined ? {} : { cause: outage });
};

/**
 * Works on a step until the teacher accepts an attempt or no attempt is left. Every attempt is validated, the last
 * one too. An attempt that ends in an error, or gets no verdict, is not repeated.
 */
async function attemptUntilAccepted(
  scope: SessionScope,
  { task, prompt, promptVersion, agent, teacher, maxRetries, priorResults, verdicts }: StepWork,
  step: PlanStep,
): Promise<StepOutcome> {
  const guidance: string[] = [];
  let reply: AgentReply | undefined;
  for (let attempt = 1; ; attempt += 1) {
    const previous = reply === undefined ? {} : { previous: reply.content };
    const current = { id: step.id, description: step.description, attempt, ...previous };
    const attempted = await attemptStep(scope, {
      agent,
      task: prompt,
      promptVersion,
      step: current,
      guidance: [...guidance],
    });
    const achieved = reply === undefined ? {} : { reply };
    if (attempted.status !== "completed") return { ...attempted, ...achieved, attempts: attempt };
    reply = attempted.reply;
    if (teacher === undefined) return { status: "succeeded", reply, attempts: attempt };
    try {
      const answered = { task, step: current, answer: reply.content, guidance, priorResults };
      const verdict = await validateAttempt(scope, teacher, answered, verdicts);
      if (verdict.verdict === "valid") return { status: "succeeded", reply, attempts: attempt };
      if (verdict.verdict === "none" || attempt > maxRetries) {
        return { status: "failed", reply, error: rejected(step, attempt, verdict), attempts: attempt };
      }
      if (verdict.guidance !== undefined) {
        guidance.push(verdict.guidance);
        scope.recorder.emit("GuidanceGiven", { step_id: step.id, attempt, note: verdict.guidance });
      }
    } catch (error) {
      // The student has answered, so a deadline that passes now is no outage of its.
      const ended = { ...scope, unanswered: new Map() };
      const outcome = scope.signal.aborted ? interruptionOf(ended) : unexpectedOutcome(error);
      return { ...outcome, reply, attempts: attempt };
    }
  }
}

/** Works on a step, and records that it began and how it ended. Never throws: what goes wrong is the outcome. */
export async function runStep(scope: SessionScope, work: StepWork, step: PlanStep): Promise<StepOutcome> {
  scope.recorder.emit("StepStarted", {
    step_id: step.id,
    description: step.description,
    tool: step.tool ?? null,
    tool_params: step.tool_params ?? null,
    depends_on: [...step.depends_on],
  });
  using ending = stepSignal(scope.signal, step.id, work.timeoutMs);
  const outcome = await attemptUntilAccepted({ ...scope, signal: ending.signal }, work, step);
  const { reply, error } = outcome;
  scope.recorder.emit("StepEnded", {
    step_id: step.id,
    status: outcome.status,
    attempts: outcome.attempts,
    output: reply?.content ?? null,
    trace: reply?.trace ?? null,
    deliverable: reply?.deliverable === undefined ? null : jsonText(reply.deliverable),
    artifacts: reply?.artifacts === undefined ? null : jsonText(reply.artifacts),
    reason: error === undefined ? null : explain(error),
  });
  return outcome;
}
