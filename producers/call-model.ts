import { explain } from "../errors/atlas-error.ts";
import type { Draft, Uuid } from "../schemas/generated/events.ts";
import { newId } from "../schemas/identity.ts";
import type { ModelRole } from "../schemas/vocabulary.ts";
import { jsonText } from "./json-text.ts";
import type { ModelClient, ModelReply, ModelRequest } from "./models/model-client.ts";
import { OpenCalls } from "./open-calls.ts";
import { type SessionScope, stopwatch, unlessAborted } from "./session-scope.ts";
import { usageOf } from "./tokens.ts";

/** Who asks which model what, and where in the session. */
export interface ModelCall {
  client: ModelClient;
  request: ModelRequest;
  role: ModelRole;
  stepId?: number;
  attempt?: number;
  /** The calls of the attempt that this one belongs to. */
  calls?: OpenCalls;
}

/** A reply and the call that it came from. */
export interface RecordedReply extends ModelReply {
  callId: Uuid;
}

function parametersOf({
  json,
  jsonSchema,
  temperature,
  topP,
  maxTokens,
  extra,
}: ModelRequest): string | null {
  const parameters = {
    ...extra,
    json,
    json_schema: jsonSchema,
    temperature,
    top_p: topP,
    max_tokens: maxTokens,
  };
  const text = jsonText(parameters);
  return text === "{}" ? null : text;
}

const optionalJson = (value: unknown): string | null => (value === undefined ? null : jsonText(value));

const answered = (reply: ModelReply): Partial<Draft<"ModelCallEnded">> => ({
  content: reply.content,
  reasoning: reply.reasoning ?? null,
  tool_calls: reply.toolCalls.length === 0 ? null : jsonText(reply.message.tool_calls ?? reply.toolCalls),
  finish_reason: reply.finishReason ?? null,
  usage: reply.usage === undefined ? null : usageOf(reply.usage),
  token_ids: optionalJson(reply.tokenIds),
  logprobs: optionalJson(reply.logprobs),
});

/**
 * Asks a model and records that it was asked and what came of it: one `ModelCallStarted` and one `ModelCallEnded`,
 * also when it fails or the session is interrupted. Waits first while the recorder has too much to write.
 *
 * @throws AtlasError ATLAS_MODEL_FAILED, or the reason of the session's signal
 */
export async function callModel(scope: SessionScope, call: ModelCall): Promise<RecordedReply> {
  const { recorder, tokens, signal } = scope;
  const { client, request, role, calls = new OpenCalls() } = call;
  calls.check();
  await recorder.ready(signal);
  signal.throwIfAborted();
  calls.check();

  const callId = newId();
  const place = {
    call_id: callId,
    parent_id: calls.parent,
    step_id: call.stepId ?? null,
    attempt: call.attempt ?? null,
    role,
    provider: client.provider,
  };
  recorder.emit("ModelCallStarted", {
    ...place,
    model: client.model,
    messages: jsonText(request.messages),
    parameters: parametersOf(request),
    tools: request.tools === undefined ? null : jsonText(request.tools),
    prompt_version: request.promptVersion ?? null,
  });
  const duration = stopwatch();
  const ended = (model: string, draft: Partial<Draft<"ModelCallEnded">>): void => {
    recorder.emit("ModelCallEnded", { ...place, model, duration_us: duration(), ...draft });
  };
  calls.begin(callId, (error) => ended(client.model, { error }));
  try {
    const reply = await unlessAborted(signal, () => client.complete(request, { signal }));
    tokens.add(role, reply.usage);
    if (calls.end(callId)) ended(reply.model, answered(reply));
    return { ...reply, callId };
  } catch (error) {
    tokens.add(role, undefined);
    if (calls.end(callId)) ended(client.model, { error: explain(error) });
    throw error;
  }
}
