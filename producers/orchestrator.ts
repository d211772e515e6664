import { AtlasError, explain, isAtlasError, messageOf } from "../errors/atlas-error.ts";
import type { PlanStep } from "../schemas/generated/events.ts";
import type { SessionStatus } from "../schemas/vocabulary.ts";
import type { Agent, AgentReply } from "./agents/agent.ts";
import { jsonText } from "./json-text.ts";
import type { ModelClient } from "./models/model-client.ts";
import { interruptionOf, type SessionScope } from "./session-scope.ts";
import { attemptStep } from "./student.ts";
import { validateAttempt } from "./teacher.ts";

/** What is to be done, by whom, and who decides whether it is done. */
export interface Orchestration {
  task: string;
  agent: Agent;
  teacher: ModelClient;
  /** Further attempts at a step after one that was rejected. */
  maxRetries: number;
}

/** How the work on a step, or on the whole task, came out. */
export interface Outcome {
  status: SessionStatus;
  /** The last answer, accepted or not. */
  reply?: AgentReply;
  /** Set unless it succeeded. */
  error?: AtlasError;
}

const rejected = (step: PlanStep, attempts: number, reason: string | undefined): AtlasError => {
  const verdict = attempts === 1 ? "did not accept the attempt" : `accepted none of ${attempts} attempts`;
  const because = reason === undefined ? "" : `: ${reason}`;
  return new AtlasError("ATLAS_ATTEMPT_REJECTED", `step ${step.id}: the teacher ${verdict}${because}`);
};

interface StepOutcome extends Outcome {
  attempts: number;
}

/**
 * Works on a step until the teacher accepts an attempt or no attempt is left. Every attempt is validated, the last
 * one too. An attempt that ends in an error, or gets no verdict, is not repeated.
 */
async function attemptUntilAccepted(
  scope: SessionScope,
  { task, agent, teacher, maxRetries }: Orchestration,
  step: PlanStep,
): Promise<StepOutcome> {
  const guidance: string[] = [];
  let reply: AgentReply | undefined;
  for (let attempt = 1; ; attempt += 1) {
    const previous = reply === undefined ? {} : { previous: reply.content };
    const current = { id: step.id, description: step.description, attempt, ...previous };
    const attempted = await attemptStep(scope, { agent, task, step: current, guidance: [...guidance] });
    const achieved = reply === undefined ? {} : { reply };
    if (attempted.status !== "completed") return { ...attempted, ...achieved, attempts: attempt };
    reply = attempted.reply;
    try {
      const answer = reply.content;
      const verdict = await validateAttempt(scope, teacher, { task, step: current, answer, guidance });
      if (verdict.verdict === "valid") return { status: "succeeded", reply, attempts: attempt };
      if (verdict.verdict === "none" || attempt > maxRetries) {
        return { status: "failed", reply, error: rejected(step, attempt, verdict.reason), attempts: attempt };
      }
      if (verdict.guidance !== undefined) {
        guidance.push(verdict.guidance);
        scope.recorder.emit("GuidanceGiven", { step_id: step.id, attempt, note: verdict.guidance });
      }
    } catch (error) {
      if (!scope.signal.aborted) throw error;
      return { ...interruptionOf(scope.signal), reply, attempts: attempt };
    }
  }
}

async function runStep(scope: SessionScope, work: Orchestration, step: PlanStep): Promise<StepOutcome> {
  scope.recorder.emit("StepStarted", {
    step_id: step.id,
    description: step.description,
    depends_on: [...step.depends_on],
  });
  const outcome = await attemptUntilAccepted(scope, work, step);
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

const WHOLE_TASK: PlanStep = { id: 1, description: "Give the complete answer to the task.", depends_on: [] };

/**
 * Runs a task in the paired lane: a plan of one step, the student's attempts at it, and the teacher's verdict on each.
 * Never throws: what goes wrong is the outcome.
 */
export async function orchestrate(scope: SessionScope, work: Orchestration): Promise<Outcome> {
  scope.recorder.emit("PlanProposed", {
    plan: { steps: [WHOLE_TASK], execution_mode: "single_shot" },
    author: "runtime",
  });
  try {
    return await runStep(scope, work, WHOLE_TASK);
  } catch (error) {
    const unexpected = isAtlasError(error)
      ? error
      : new AtlasError("ATLAS_UNEXPECTED", messageOf(error), { cause: error });
    return { status: "failed", error: unexpected };
  }
}
