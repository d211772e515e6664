import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import type { JsonPromise } from "./json-promise.ts";
import type { ModelRequest } from "./model-client.ts";
import { isStrict } from "./reply-schema.ts";

function responseFormat({ jsonSchema: schema }: ModelRequest, promise: JsonPromise) {
  if (promise === "none") return {};
  if (promise === "object" || schema === undefined)
    return { response_format: { type: "json_object" as const } };
  const strict = isStrict(schema) ? { strict: true } : {};
  return {
    response_format: { type: "json_schema" as const, json_schema: { name: "reply", schema, ...strict } },
  };
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
