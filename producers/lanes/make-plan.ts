import { isDeepStrictEqual } from "node:util";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { ModelClient } from "../../models/model-client.ts";
import { type ReadReply, readReply } from "../../models/read-reply.ts";
import { jsonSchemaOf } from "../../models/reply-schema.ts";
import type { SessionScope } from "../../recording/session-scope.ts";
import type { PlanStep } from "../../schemas/generated/events.ts";
import type { Agent } from "../agents/agent.ts";
import { PLAN_VERSION, planPrompt, planRepair } from "../prompts/plan.ts";
import { reviewPlan } from "../review-plan.ts";
import { askStudent } from "../student.ts";
import type { VerdictCache } from "../verdict-cache.ts";
import type { ExecutionMode } from "./lane.ts";
import { PlanReply, planProblem } from "./plan.ts";

/** Who plans what, and who looks at the plan. */
export interface Planning {
  task: string;
  agent: Agent;
  executionMode: ExecutionMode;
  /** Reviews the plan; undefined where nobody does. */
  reviewer: ModelClient | undefined;
  verdicts?: VerdictCache | undefined;
}

/** The plan of a task that is done in one step. */
export const WHOLE_TASK: PlanStep = {
  id: 1,
  description: "Give the complete answer to the task.",
  depends_on: [],
};

async function propose(
  scope: SessionScope,
  { agent, task }: Planning,
): Promise<readonly PlanStep[] | undefined> {
  const request = {
    agent,
    prompt: planPrompt(task),
    promptVersion: PLAN_VERSION,
    jsonSchema: jsonSchemaOf(PlanReply),
    description: "Plan the task.",
  };
  const { content } = await askStudent(scope, request);
  let read: ReadReply<{ steps: PlanStep[] }> = readReply(PlanReply, content);
  if (read.problem !== undefined) {
    const repair = { previous: content, guidance: [planRepair(read.problem)] };
    const again = await askStudent(scope, { ...request, ...repair });
    read = readReply(PlanReply, again.content);
  }
  return read.value?.steps;
}

/**
 * Lets the student plan its task, and the reviewer correct the plan; records both. A student whose plan cannot be
 * read, also when it is asked again, gets the plan of one step.
 *
 * @throws AtlasError ATLAS_PLAN_INVALID when the plan that would run cannot run; what the agent throws; the reason
 *   of the session's signal
 */
export async function makePlan(scope: SessionScope, planning: Planning): Promise<readonly PlanStep[]> {
  const { task, executionMode: execution_mode, reviewer } = planning;
  const { recorder } = scope;
  const planned = await propose(scope, planning);
  const proposed = planned ?? [WHOLE_TASK];
  recorder.emit("PlanProposed", {
    plan: { steps: [...proposed], execution_mode },
    author: planned === undefined ? "runtime" : "student",
  });
  const problem = planProblem(proposed);
  const refuse = (why: string): AtlasError =>
    new AtlasError("ATLAS_PLAN_INVALID", `the plan cannot run: ${why}`, { hint: "No step of it was begun." });
  if (reviewer === undefined) {
    if (problem !== undefined) throw refuse(problem);
    return proposed;
  }
  const plan = { task, steps: proposed, problem };
  const { steps, concerns, reviewed, callId } = await reviewPlan(scope, reviewer, plan, planning.verdicts);
  if (!reviewed && problem !== undefined) throw refuse(`${problem}; ${concerns.join("; ")}`);
  recorder.emit("PlanReviewed", {
    plan: { steps: [...steps], execution_mode },
    changed: !isDeepStrictEqual(steps, proposed),
    concerns,
    author: reviewed ? "teacher" : "runtime",
    call_id: callId,
  });
  return steps;
}
