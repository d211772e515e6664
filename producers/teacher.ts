import { z } from "zod";
import { type AtlasError, explain, isAtlasError } from "../errors/atlas-error.ts";
import { isUnjudged } from "../judges/unjudged.ts";
import { excerpt } from "../models/excerpt.ts";
import type { ModelClient, ModelRequest } from "../models/model-client.ts";
import { askChecked } from "../recording/ask-checked.ts";
import { type SessionScope, stopwatch } from "../recording/session-scope.ts";
import type { PriorResult } from "./prompts/step.ts";
import { STEP_VALIDATION } from "./prompts/step-validation.ts";
import { VALIDATION } from "./prompts/validation.ts";
import { questionKey, type Verdict, type VerdictCache } from "./verdict-cache.ts";

/** An attempt that waits for a verdict. */
export interface Attempted {
  task: string;
  step: { id: number; description: string; attempt: number };
  answer: string;
  /** What the teacher said before, oldest first. */
  guidance: readonly string[];
  /** What came of the steps that this one depends on; undefined where the task is done in one step. */
  priorResults?: readonly PriorResult[] | undefined;
}

/** Most characters of the answer, and of each piece of guidance, that the teacher is shown. */
const LONGEST_ANSWER = 24_000;
const LONGEST_GUIDANCE = 2000;

const text = z
  .string()
  .nullish()
  .transform((value) => value?.trim() || undefined);

const Reply = z
  .object({ valid: z.boolean(), guidance: text, reason: text })
  .refine(({ valid, guidance, reason }) => valid || guidance !== undefined || reason !== undefined, {
    message: '"guidance" must say what is wrong when "valid" is false',
  });

function requestOf({ task, step, answer, guidance, priorResults }: Attempted): ModelRequest {
  const prompt = priorResults === undefined ? VALIDATION : STEP_VALIDATION;
  const limit = Math.floor(LONGEST_ANSWER / Math.max(priorResults?.length ?? 0, 1));
  const payload = {
    task: excerpt(task, LONGEST_ANSWER),
    step: { id: step.id, description: step.description },
    attempt: step.attempt,
    answer: excerpt(answer, LONGEST_ANSWER),
    guidance: guidance.map((note) => excerpt(note, LONGEST_GUIDANCE)),
    prior_results: priorResults?.map((result) => ({ ...result, output: excerpt(result.output, limit) })),
  };
  return {
    messages: [
      { role: "system", content: prompt.text },
      { role: "user", content: JSON.stringify(payload) },
    ],
    json: true,
    promptVersion: prompt.version,
  };
}

/** The same attempt has the same key, whatever its number: excerpts would let different answers share one. */
const keyOf = (client: ModelClient, { task, step, answer, guidance, priorResults }: Attempted): string =>
  questionKey(client, [task, step.id, step.description, answer, guidance, priorResults]);

/** A verdict; one that there is not because the teacher's model did not answer says so. */
type Given = Verdict & { outage?: AtlasError };

interface Asked {
  verdict: Given;
  callId: string | null;
  cached: boolean;
}

async function ask(scope: SessionScope, client: ModelClient, attempted: Attempted): Promise<Asked> {
  const { id: stepId, attempt } = attempted.step;
  const request = requestOf(attempted);
  const call = { client, request, role: "teacher" as const, stepId, attempt };
  const { value, problem, callId } = await askChecked(scope, call, Reply);
  if (value === undefined) {
    const reason = `the teacher's reply could not be read: ${problem}`;
    return { verdict: { verdict: "none", reason }, callId, cached: false };
  }
  const { valid, reason } = value;
  const guidance = value.guidance ?? (valid ? undefined : reason);
  const verdict: Verdict = {
    verdict: valid ? "valid" : "invalid",
    ...(guidance === undefined ? {} : { guidance }),
    ...(reason === undefined ? {} : { reason }),
  };
  return { verdict, callId, cached: false };
}

async function recallOrAsk(
  scope: SessionScope,
  client: ModelClient,
  attempted: Attempted,
  cache: VerdictCache | undefined,
): Promise<Asked> {
  if (cache === undefined) return ask(scope, client, attempted);
  const key = keyOf(client, attempted);
  const known = cache.get(key);
  if (known !== undefined) return { verdict: known, callId: null, cached: true };
  const asked = await ask(scope, client, attempted);
  if (asked.verdict.verdict !== "none") cache.set(key, asked.verdict);
  return asked;
}

/**
 * Asks the teacher whether an attempt may stand, and records its verdict. A reply that cannot be read is sent back
 * once with what was wrong with it. A verdict that the cache knows for the same attempt is not asked for again.
 *
 * @throws the reason of the session's signal, and nothing else
 */
export async function validateAttempt(
  scope: SessionScope,
  client: ModelClient,
  attempted: Attempted,
  cache?: VerdictCache,
): Promise<Given> {
  const duration = stopwatch();
  let asked: Asked;
  try {
    asked = await recallOrAsk(scope, client, attempted, cache);
  } catch (error) {
    scope.signal.throwIfAborted();
    const outage = isAtlasError(error) && isUnjudged(error) ? { outage: error } : {};
    asked = { verdict: { verdict: "none", reason: explain(error), ...outage }, callId: null, cached: false };
  }
  const { verdict, callId, cached } = asked;
  scope.recorder.emit("StepValidated", {
    step_id: attempted.step.id,
    attempt: attempted.step.attempt,
    verdict: verdict.verdict,
    reason: verdict.reason ?? verdict.guidance ?? null,
    cached,
    duration_us: duration(),
    call_id: callId,
  });
  return verdict;
}
