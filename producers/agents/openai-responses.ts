import type { Response, ResponseStreamEvent } from "openai/resources/responses/responses";
import type { ChatMessage, ModelRequest, ToolDefinition } from "../../models/model-client.ts";
import { ResponseJoiner } from "./response-joiner.ts";
import { CALLS, callOf, chatCall, responsesReply } from "./responses-reply.ts";
import type { CreateFormat } from "./wrap-create.ts";

type Fields = Record<string, unknown>;

const RESULTS: readonly unknown[] = ["function_call_output", "custom_tool_call_output"];

/** An item of the input in the shape of a chat's message; what a chat does not know keeps its own fields. */
function messageOf(item: Fields): ChatMessage {
  if (CALLS.includes(item["type"]))
    return { role: "assistant", content: null, tool_calls: [chatCall(callOf(item))] };
  if (RESULTS.includes(item["type"]))
    return { role: "tool", tool_call_id: String(item["call_id"]), content: item["output"] as string };
  return { role: "assistant", ...item };
}

function messagesOf(instructions: unknown, input: unknown): ChatMessage[] {
  const opening: ChatMessage[] =
    typeof instructions === "string" ? [{ role: "system", content: instructions }] : [];
  const items = Array.isArray(input)
    ? (input as Fields[]).map(messageOf)
    : [{ role: "user", content: input }];
  return [...opening, ...(items as ChatMessage[])];
}

function requestOf(params: Fields): ModelRequest {
  const { model: _, input, instructions, tools, temperature, top_p, max_output_tokens, ...extra } = params;
  return {
    messages: messagesOf(instructions, input),
    ...(Array.isArray(tools) ? { tools: tools as ToolDefinition[] } : {}),
    ...(typeof temperature === "number" ? { temperature } : {}),
    ...(typeof top_p === "number" ? { topP: top_p } : {}),
    ...(typeof max_output_tokens === "number" ? { maxTokens: max_output_tokens } : {}),
    extra,
  };
}

/** How calls of OpenAI's Responses API are read. */
export const RESPONSES: CreateFormat<ResponseStreamEvent> = {
  provider: "openai",
  requestOf,
  replyOf: (answer) => responsesReply(answer as Response),
  joiner: () => new ResponseJoiner(),
};
