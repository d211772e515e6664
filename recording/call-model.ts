import { AtlasError, explain } from "../errors/atlas-error.ts";
import type { ModelClient, ModelReply, ModelRequest } from "../models/model-client.ts";
import { ModelFailure, unusableReply } from "../models/model-error.ts";
import { costOf, type Prices, priceOf } from "../models/prices.ts";
import { sendable } from "../models/sendable.ts";
import { callProblems } from "../models/sound-calls.ts";
import { soundReply } from "../models/sound-reply.ts";
import type { Draft, Uuid } from "../schemas/generated/events.ts";
import { newId } from "../schemas/identity.ts";
import { jsonText } from "../schemas/json-text.ts";
import type { ModelRole } from "../schemas/vocabulary.ts";
import { OpenCalls } from "./open-calls.ts";
import { limitedSignal, type SessionScope, stopwatch, unlessAborted } from "./session-scope.ts";
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

/** An answer that calls tools in a way that no tool can be called: what came of it, and what is wrong with it. */
function problemIn(reply: ModelReply, { provider }: ModelClient): string | null {
  const problem = callProblems(reply);
  return problem === undefined ? null : explain(unusableReply({ provider, model: reply.model }, problem));
}

const answered = (reply: ModelReply, client: ModelClient): Partial<Draft<"ModelCallEnded">> => ({
  error: problemIn(reply, client),
  content: reply.content,
  reasoning: reply.reasoning ?? null,
  tool_calls: reply.toolCalls.length === 0 ? null : jsonText(reply.message.tool_calls ?? reply.toolCalls),
  finish_reason: reply.finishReason ?? null,
  usage: reply.usage === undefined ? null : usageOf(reply.usage),
  token_ids: optionalJson(reply.tokenIds),
  logprobs: optionalJson(reply.logprobs),
});

/** Most milliseconds of one call with all its tries. */
const MODEL_TIMEOUT_MS = 5 * 60_000;

const late =
  ({ provider, model }: ModelClient, ms: number) =>
  (): AtlasError =>
    new AtlasError("ATLAS_MODEL_UNAVAILABLE", `${provider} ${model} did not answer within ${ms} ms`, {
      retryable: true,
      hint: "Give model calls a longer timeout, or fewer retries.",
    });

/** What the server told, else what the price says; undefined where neither is known. */
function costOfReply(prices: Prices | undefined, reply: ModelReply, asked: string): number | undefined {
  if (reply.cost !== undefined) return reply.cost;
  const price = priceOf(prices, reply.model, asked);
  if (price === undefined) return undefined;
  if (reply.usage !== undefined) return costOf(price, reply.usage);
  // What costs nothing costs that without a count, too.
  return price.input === 0 && price.output === 0 ? 0 : undefined;
}

/** What a provider refused with a status it does not bill; of what broke off nobody knows. */
function costOfFailure(prices: Prices | undefined, error: unknown, asked: string): number | undefined {
  const refused = error instanceof ModelFailure && error.status !== undefined;
  return refused && priceOf(prices, asked) !== undefined ? 0 : undefined;
}

/**
 * Asks a model and records that it was asked and what came of it: one `ModelCallStarted` and one `ModelCallEnded`,
 * also when it fails or the session is interrupted. Waits first while the recorder has too much to write.
 *
 * @throws AtlasError ATLAS_MODEL_UNAVAILABLE, ATLAS_MODEL_FAILED, or the reason of the session's signal
 */
export async function callModel(scope: SessionScope, call: ModelCall): Promise<RecordedReply> {
  const { recorder, tokens, signal, prices } = scope;
  const { client, role, calls = new OpenCalls() } = call;
  const request: ModelRequest = sendable({ ...client.defaults, ...call.request });
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
  let tries = 0;
  const onTry = (): void => void tries++;
  // Counted as it is recorded, so that sums and events agree.
  const ended = (model: string, draft: Partial<Draft<"ModelCallEnded">>, reply?: ModelReply): void => {
    tokens.add(role, { usage: reply?.usage, cost: draft.cost ?? undefined, failed: !reply, tries });
    const timing = { duration_us: duration(), tries: tries === 0 ? null : tries };
    recorder.emit("ModelCallEnded", { ...place, model, ...timing, ...draft });
  };
  calls.begin(callId, (error) => ended(client.model, { error }));
  const limitMs = client.limitMs ?? scope.modelTimeoutMs ?? MODEL_TIMEOUT_MS;
  using ending = limitedSignal(signal, limitMs, late(client, limitMs));
  try {
    const options = {
      signal: ending.signal,
      onTry,
      onFailedTry: (error: AtlasError) => void (role !== "judge" && scope.unanswered.set(callId, error)),
    };
    const answer = await unlessAborted(ending.signal, () => client.complete(request, options));
    const reply = soundReply(answer, client);
    const cost = costOfReply(prices, reply, client.model) ?? null;
    if (calls.end(callId)) ended(reply.model, { ...answered(reply, client), cost }, reply);
    return { ...reply, callId };
  } catch (error) {
    const cost = costOfFailure(prices, error, client.model) ?? null;
    if (calls.end(callId)) ended(client.model, { error: explain(error), cost });
    throw error;
  } finally {
    // What the end of the session cuts off is still waited for: it says what the session had no time for.
    if (!signal.aborted) scope.unanswered.delete(callId);
  }
}
