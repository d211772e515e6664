import { z } from "zod";
import { explain } from "../errors/atlas-error.ts";
import { excerpt } from "../models/excerpt.ts";
import type { ModelClient } from "../models/model-client.ts";
import { askChecked } from "../recording/ask-checked.ts";
import type { SessionScope } from "../recording/session-scope.ts";
import type { PlanStep } from "../schemas/generated/events.ts";
import { correctedSteps, PlannedSteps, planProblem } from "./lanes/plan.ts";
import { PLAN_REVIEW } from "./prompts/plan-review.ts";
import { questionKey, type VerdictCache } from "./verdict-cache.ts";

/** A plan that waits for its review. */
export interface ProposedPlan {
  task: string;
  steps: readonly PlanStep[];
  /** Why it cannot run as it is; the review may repair it. */
  problem: string | undefined;
}

/** What a review came to. */
export interface PlanReview {
  /** The teacher's steps, or the proposed ones where it kept them or gave no readable review. */
  steps: readonly PlanStep[];
  concerns: string[];
  /** False where no review could be read: the proposed plan then stands, unreviewed. */
  reviewed: boolean;
  /** Null where the review is a remembered one, or there is none. */
  callId: string | null;
}

const LONGEST_TASK = 24_000;
const LONGEST_CONCERN = 2000;

/** A reply without steps keeps the proposed ones, which must then be able to run. */
const replySchema = ({ problem, steps: proposed }: ProposedPlan) =>
  z
    .object({
      steps: PlannedSteps.nullish().transform((steps) =>
        steps?.length ? correctedSteps(steps, proposed) : undefined,
      ),
      concerns: z
        .array(z.string())
        .nullish()
        .transform((concerns) => (concerns ?? []).map((concern) => excerpt(concern, LONGEST_CONCERN))),
    })
    .superRefine(({ steps }, context) => {
      const wrong = steps === undefined ? problem : planProblem(steps);
      if (wrong !== undefined) context.addIssue({ code: "custom", message: wrong });
    });

/**
 * Asks the teacher for its view of a plan. A reply that cannot be read, or a plan in it that cannot run, is sent back
 * once with what was wrong; after that there is no review, and the plan stands as proposed. A review that the cache
 * knows of the same plan is not asked for again.
 *
 * @throws the reason of the session's signal, and nothing else
 */
export async function reviewPlan(
  scope: SessionScope,
  client: ModelClient,
  plan: ProposedPlan,
  cache?: VerdictCache,
): Promise<PlanReview> {
  const key = questionKey(client, [PLAN_REVIEW.version, plan.task, plan.steps, plan.problem]);
  const known = cache?.reviews.get(key);
  if (known !== undefined)
    return { steps: known.steps, concerns: [...known.concerns], reviewed: true, callId: null };
  const unreviewed = (why: string, callId: string | null): PlanReview => {
    return { steps: plan.steps, concerns: [why], reviewed: false, callId };
  };
  const { task, steps, problem } = plan;
  const payload = { task: excerpt(task, LONGEST_TASK), steps, problem: problem ?? null };
  const request = {
    messages: [
      { role: "system" as const, content: PLAN_REVIEW.text },
      { role: "user" as const, content: JSON.stringify(payload) },
    ],
    json: true,
    promptVersion: PLAN_REVIEW.version,
  };
  try {
    const read = await askChecked(scope, { client, request, role: "teacher" }, replySchema(plan));
    if (read.value === undefined) {
      return unreviewed(`the teacher's review could not be read: ${read.problem}`, read.callId);
    }
    const review = { steps: read.value.steps ?? steps, concerns: read.value.concerns };
    cache?.reviews.set(key, review);
    return { ...review, reviewed: true, callId: read.callId };
  } catch (error) {
    scope.signal.throwIfAborted();
    return unreviewed(`the plan was not reviewed: ${explain(error)}`, null);
  }
}
