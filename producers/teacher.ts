import { z } from "zod";
import { explain } from "../errors/atlas-error.ts";
import { callModel } from "./call-model.ts";
import { excerpt } from "./excerpt.ts";
import type { ChatMessage, ModelClient, ModelRequest } from "./models/model-client.ts";
import { repairPrompt } from "./prompts/repair.ts";
import { VALIDATION } from "./prompts/validation.ts";
import { readReply } from "./read-reply.ts";
import { type SessionScope, stopwatch } from "./session-scope.ts";

/** An attempt that waits for a verdict. */
export interface Attempted {
  task: string;
  step: { id: number; description: string; attempt: number };
  answer: string;
  /** What the teacher said before, oldest first. */
  guidance: readonly string[];
}

/**
 * The teacher's verdict. `none` means that it gave no verdict that could be read, also when asked again, or that its
 * model failed. It is not a success: the attempt is not accepted. It is not a rejection either, so there is nothing
 * to tell the student, which is not asked again.
 */
export interface Verdict {
  verdict: "valid" | "invalid" | "none";
  guidance?: string;
  reason?: string;
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

function requestOf({ task, step, answer, guidance }: Attempted): ModelRequest {
  const payload = {
    task: excerpt(task, LONGEST_ANSWER),
    step: { id: step.id, description: step.description },
    attempt: step.attempt,
    answer: excerpt(answer, LONGEST_ANSWER),
    guidance: guidance.map((note) => excerpt(note, LONGEST_GUIDANCE)),
  };
  return {
    messages: [
      { role: "system", content: VALIDATION.text },
      { role: "user", content: JSON.stringify(payload) },
    ],
    json: true,
    promptVersion: VALIDATION.version,
  };
}

interface Asked {
  verdict: Verdict;
  callId: string | null;
}

async function ask(scope: SessionScope, client: ModelClient, attempted: Attempted): Promise<Asked> {
  const { id: stepId, attempt } = attempted.step;
  const request = requestOf(attempted);
  const first = await callModel(scope, { client, request, role: "teacher", stepId, attempt });
  let read = readReply(Reply, first.content);
  let { callId } = first;
  if (read.problem !== undefined) {
    const said: ChatMessage = { ...first.message, role: "assistant", content: first.content };
    const again: ChatMessage = { role: "user", content: repairPrompt(read.problem) };
    const repair = { ...request, messages: [...request.messages, said, again] };
    const second = await callModel(scope, { client, request: repair, role: "teacher", stepId, attempt });
    read = readReply(Reply, second.content);
    callId = second.callId;
  }
  if (read.problem !== undefined) {
    return {
      verdict: { verdict: "none", reason: `the teacher's reply could not be read: ${read.problem}` },
      callId,
    };
  }
  const { valid, reason } = read.value;
  const guidance = read.value.guidance ?? (valid ? undefined : reason);
  return {
    verdict: {
      verdict: valid ? "valid" : "invalid",
      ...(guidance === undefined ? {} : { guidance }),
      ...(reason === undefined ? {} : { reason }),
    },
    callId,
  };
}

/**
 * Asks the teacher whether an attempt may stand, and records its verdict. A reply that cannot be read is sent back
 * once with what was wrong with it.
 *
 * @throws the reason of the session's signal, and nothing else
 */
export async function validateAttempt(
  scope: SessionScope,
  client: ModelClient,
  attempted: Attempted,
): Promise<Verdict> {
  const duration = stopwatch();
  let asked: Asked;
  try {
    asked = await ask(scope, client, attempted);
  } catch (error) {
    scope.signal.throwIfAborted();
    asked = { verdict: { verdict: "none", reason: explain(error) }, callId: null };
  }
  const { verdict, callId } = asked;
  scope.recorder.emit("StepValidated", {
    step_id: attempted.step.id,
    attempt: attempted.step.attempt,
    verdict: verdict.verdict,
    reason: verdict.reason ?? verdict.guidance ?? null,
    cached: false,
    duration_us: duration(),
    call_id: callId,
  });
  return verdict;
}
