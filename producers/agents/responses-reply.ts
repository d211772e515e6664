import type { Response } from "openai/resources/responses/responses";
import type { ModelReply, ToolCall, Usage } from "../../models/model-client.ts";
import { unusableReply } from "../../models/model-error.ts";
import { reportedUsage } from "../../models/reported-usage.ts";
import { textOf } from "../../schemas/json-text.ts";

type Fields = Record<string, unknown>;

/** A call in the shape of OpenAI's chat API. */
export const chatCall = ({ id, name, arguments: args, custom, error }: ToolCall) => ({
  id,
  ...(custom === true
    ? { type: "custom", custom: { name, input: args } }
    : { type: "function", function: { name, arguments: args } }),
  ...(error === undefined ? {} : { error }),
});

/** The items that are calls of the caller's tools. */
export const CALLS: readonly unknown[] = ["function_call", "custom_tool_call"];

/** An item that is a call. */
export function callOf(item: Fields): ToolCall {
  const custom = item["type"] === "custom_tool_call";
  return {
    id: String(item["call_id"] ?? item["id"] ?? ""),
    name: String(item["name"]),
    arguments: textOf(custom ? item["input"] : item["arguments"]) ?? "",
    ...(custom ? { custom } : {}),
    ...(item["status"] === "incomplete" ? { error: "the answer was cut off, and this call with it" } : {}),
  };
}

const textsIn = (parts: unknown, types?: readonly unknown[]): string =>
  (Array.isArray(parts) ? (parts as Fields[]) : [])
    .filter((part) => types === undefined || types.includes(part["type"]))
    .map((part) => String(part["text"] ?? part["refusal"] ?? ""))
    .join("");

/** What a model says in place of an answer is what it answers. */
const ANSWERS: readonly unknown[] = ["output_text", "refusal"];

function usageIn({ usage }: Response, silent: boolean): Usage | undefined {
  return reportedUsage({
    silent,
    prompt: usage?.input_tokens,
    completion: usage?.output_tokens,
    total: usage?.total_tokens,
    reasoning: usage?.output_tokens_details?.reasoning_tokens,
    cached: usage?.input_tokens_details?.cached_tokens,
  });
}

/**
 * An answer of OpenAI's Responses API in the shape that every provider's answer has here.
 *
 * @throws AtlasError ATLAS_MODEL_FAILED when it holds no output
 */
export function responsesReply(response: Response): ModelReply {
  if (!Array.isArray(response?.output)) {
    throw unusableReply({ provider: "openai", model: "unknown" }, "answered without output");
  }
  const items = response.output as unknown as Fields[];
  const content = items
    .map((item) => (item["type"] === "message" ? textsIn(item["content"], ANSWERS) : ""))
    .join("");
  const thoughts = items.filter(({ type }) => type === "reasoning");
  const reasoning = thoughts.map((item) => textsIn(item["content"]) || textsIn(item["summary"])).join("");
  const toolCalls = items.filter(({ type }) => CALLS.includes(type)).map(callOf);
  const usage = usageIn(response, content === "" && reasoning === "" && toolCalls.length === 0);
  return {
    content,
    toolCalls,
    message: {
      role: "assistant",
      content,
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(chatCall) }),
    },
    model: response.model,
    ...(usage === undefined ? {} : { usage }),
    ...(response.status === undefined
      ? {}
      : { finishReason: response.incomplete_details?.reason ?? response.status }),
    ...(reasoning === "" ? {} : { reasoning }),
  };
}
