import { type AtlasError, isAtlasError } from "../errors/atlas-error.ts";
import { isUnjudged } from "../judges/unjudged.ts";
import type { ModelClient } from "../models/model-client.ts";
import { interruptionOf, type SessionScope } from "../recording/session-scope.ts";
import type { PlanStep } from "../schemas/generated/events.ts";
import type { Agent } from "./agents/agent.ts";
import type { ExecutionMode, Lane } from "./lanes/lane.ts";
import { makePlan, WHOLE_TASK } from "./lanes/make-plan.ts";
import { runPlan } from "./lanes/run-plan.ts";
import {
  type Outcome,
  runStep,
  type StepOutcome,
  type StepWork,
  unexpectedOutcome,
} from "./lanes/run-step.ts";
import {
  achievedText,
  GUIDED_VERSION,
  guidedPrompt,
  type PriorResult,
  STEP_VERSION,
  SYNTHESIS_VERSION,
  stepPrompt,
  synthesisPrompt,
} from "./prompts/step.ts";
import { askStudent } from "./student.ts";
import type { VerdictCache } from "./verdict-cache.ts";

/** What is to be done, by whom, and who decides whether it is done. */
export interface Orchestration {
  task: string;
  agent: Agent;
  /** Not asked in the lane `auto`. */
  teacher: ModelClient;
  lane: Lane;
  executionMode: ExecutionMode;
  /** Further attempts at a step after one that was rejected. */
  maxRetries: number;
  /** Most steps at a time. */
  concurrency: number;
  /** Milliseconds for all attempts at a step. */
  stepTimeoutMs?: number | undefined;
  verdicts?: VerdictCache | undefined;
}

/** What the student is asked, and in which prompt. */
type Asked = Pick<StepWork, "prompt" | "promptVersion">;

function stepWork(work: Orchestration, asked: Asked, priorResults?: readonly PriorResult[]): StepWork {
  const { task, agent, lane, teacher, maxRetries, verdicts, stepTimeoutMs: timeoutMs } = work;
  const validator = lane === "auto" ? undefined : teacher;
  return { task, ...asked, agent, teacher: validator, maxRetries, priorResults, verdicts, timeoutMs };
}

const planned = (scope: SessionScope, work: Orchestration): Promise<readonly PlanStep[]> => {
  const { task, agent, executionMode, lane, teacher, verdicts } = work;
  const reviewer = lane === "coach" ? teacher : undefined;
  return makePlan(scope, { task, agent, executionMode, reviewer, verdicts });
};

async function inOneStep(scope: SessionScope, work: Orchestration): Promise<Outcome> {
  const { task, lane, executionMode } = work;
  if (lane === "coach") {
    const steps = await planned(scope, work);
    const asked = { prompt: guidedPrompt(task, steps), promptVersion: GUIDED_VERSION };
    return runStep(scope, stepWork(work, asked), WHOLE_TASK);
  }
  scope.recorder.emit("PlanProposed", {
    plan: { steps: [WHOLE_TASK], execution_mode: executionMode },
    author: "runtime",
  });
  return runStep(scope, stepWork(work, { prompt: task }), WHOLE_TASK);
}

type Outcomes = ReadonlyMap<number, StepOutcome>;

/** What came of the steps that succeeded, in the order of the plan's ids. */
function resultsOf(steps: readonly PlanStep[], outcomes: Outcomes): PriorResult[] {
  const done = steps.filter(({ id }) => outcomes.get(id)?.status === "succeeded");
  return done
    .toSorted((a, b) => a.id - b.id)
    .map(({ id, description }) => ({ id, description, output: outcomes.get(id)!.reply!.content }));
}

/** The outage that ended a step: of the student's model, or of the teacher's, who then gave no verdict. */
const outageOf = ({ error }: StepOutcome): AtlasError | undefined =>
  [error, error?.cause].find((each): each is AtlasError => isAtlasError(each) && isUnjudged(each));

/**
 * The first step, by id, that did not succeed says why the plan did not; one that an outage ended goes before others,
 * because nobody knows what the plan would have come to.
 */
function failureOf(scope: SessionScope, outcomes: Outcomes): Outcome | undefined {
  if (scope.signal.aborted) return interruptionOf(scope);
  const failed = [...outcomes].filter(([, { status }]) => status !== "succeeded").sort(([a], [b]) => a - b);
  const [outage] = failed.flatMap(([, outcome]) => outageOf(outcome) ?? []);
  if (outage !== undefined) return { status: "failed", error: outage };
  return failed[0] && { status: failed[0][1].status, error: failed[0][1].error! };
}

async function stepwise(scope: SessionScope, work: Orchestration): Promise<Outcome> {
  const { task, agent, concurrency } = work;
  const { signal, recorder } = scope;
  const steps = await planned(scope, work);
  const outcomes = await runPlan<StepOutcome>(steps, {
    concurrency,
    run(step, finished) {
      const prior = resultsOf(
        steps.filter(({ id }) => step.depends_on.includes(id)),
        finished,
      );
      const asked = { prompt: stepPrompt(task, step, prior), promptVersion: STEP_VERSION };
      return runStep(scope, stepWork(work, asked, prior), step);
    },
    skip: ({ id }, reason) => recorder.emit("StepSkipped", { step_id: id, reason }),
    stopped: () => (signal.aborted ? "the session ended before it" : undefined),
  });
  const results = resultsOf(steps, outcomes);
  const achieved = results.length === 0 ? {} : { reply: { content: achievedText(results) } };
  const failure = failureOf(scope, outcomes);
  if (failure !== undefined) return { ...failure, ...achieved };
  const [only] = outcomes.values();
  if (outcomes.size === 1) return only!;
  try {
    const prompt = synthesisPrompt(task, results);
    const asked = { prompt, promptVersion: SYNTHESIS_VERSION, description: "Give the complete answer." };
    const reply = await askStudent(scope, { agent, ...asked });
    return { status: "succeeded", reply };
  } catch (error) {
    return { ...(signal.aborted ? interruptionOf(scope) : unexpectedOutcome(error)), ...achieved };
  }
}

/**
 * Runs a task in its lane, in one step or by a plan's steps. Never throws: what goes wrong is the outcome. A plan
 * that was not finished leaves what its steps achieved as its reply.
 */
export async function orchestrate(scope: SessionScope, work: Orchestration): Promise<Outcome> {
  try {
    return await (work.executionMode === "stepwise" ? stepwise(scope, work) : inOneStep(scope, work));
  } catch (error) {
    return scope.signal.aborted ? interruptionOf(scope) : unexpectedOutcome(error);
  }
}
