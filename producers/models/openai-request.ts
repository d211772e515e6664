import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import type { ModelRequest } from "./model-client.ts";

/** What a server promises about a reply: that it keeps a schema, that it is one JSON object, or nothing. */
export type JsonPromise = "schema" | "object" | "none";

/** The promise to ask for, of a server that keeps `keeps` at most. */
export function promiseFor({ json, jsonSchema }: ModelRequest, keeps: JsonPromise): JsonPromise {
  if (jsonSchema !== undefined) return keeps;
  return json === true && keeps !== "none" ? "object" : "none";
}

/** The next lesser promise. */
export const weaker = (promise: JsonPromise): JsonPromise => (promise === "schema" ? "object" : "none");

function responseFormat({ jsonSchema: schema }: ModelRequest, promise: JsonPromise) {
  if (promise === "none") return {};
  if (promise === "object" || schema === undefined)
    return { response_format: { type: "json_object" as const } };
  return { response_format: { type: "json_schema" as const, json_schema: { name: "reply", schema } } };
}

/** A request in the shape of OpenAI's chat API. */
export function openaiParams(
  request: ModelRequest,
  model: string,
  isOpenai: boolean,
  promise: JsonPromise,
): ChatCompletionCreateParamsNonStreaming {
  const { temperature, topP, maxTokens, tools = [] } = request;
  const limit = maxTokens === undefined ? {} : { max_tokens: maxTokens };
  const params: ChatCompletionCreateParamsNonStreaming = {
    ...request.extra,
    model,
    // The shapes agree; ours also lets through what a provider adds to a message.
    messages: request.messages as unknown as ChatCompletionCreateParamsNonStreaming["messages"],
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    // OpenAI renamed it and refuses the old name for its newer models; other servers know only the old one.
    ...(isOpenai && maxTokens !== undefined ? { max_completion_tokens: maxTokens } : limit),
    ...responseFormat(request, promise),
  };
  if (tools.length > 0) params.tools = tools.map((tool) => ({ type: "function", function: { ...tool } }));
  return params;
}
