import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import type { Refused } from "./added-fields.ts";
import type { JsonPromise } from "./json-promise.ts";
import type { ModelRequest } from "./model-client.ts";
import { isStrict } from "./reply-schema.ts";
import { sendable } from "./sendable.ts";
import { withoutCallProblems } from "./sound-calls.ts";

/** Fields that we add or name ourselves, and how servers that do not know them speak of them. */
export const ADDED_FIELDS = {
  stream_options: /stream_options|include_usage/i,
  /** Newer models know the limit under its new name alone. */
  max_tokens: /max_completion_tokens/i,
};
export type AddedField = keyof typeof ADDED_FIELDS;

/** How a server is asked. */
export interface Asking {
  isOpenai: boolean;
  promise: JsonPromise;
  /** What it refused before. */
  refused: Refused<AddedField>;
}

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
  { isOpenai, promise, refused }: Asking,
): ChatCompletionCreateParamsNonStreaming {
  const { temperature, topP, maxTokens, tools = [] } = request;
  const limit = isOpenai || refused.has("max_tokens") ? "max_completion_tokens" : "max_tokens";
  const params: ChatCompletionCreateParamsNonStreaming = {
    ...request.extra,
    model,
    // The shapes agree; ours also lets through what a provider adds to a message.
    messages: withoutCallProblems(
      request.messages,
    ) as unknown as ChatCompletionCreateParamsNonStreaming["messages"],
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    // OpenAI renamed it and refuses the old name for its newer models; other servers know only the old one.
    ...(maxTokens === undefined ? {} : { [limit]: maxTokens }),
    ...responseFormat(request, promise),
  };
  if (tools.length > 0) params.tools = tools.map((tool) => ({ type: "function", function: { ...tool } }));
  return sendable(params);
}
