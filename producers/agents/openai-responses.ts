import type { Response, ResponseStreamEvent } from "openai/resources/responses/responses";
import type {
  ChatMessage,
  ModelReply,
  ModelRequest,
  ToolCall,
  ToolDefinition,
} from "../../models/model-client.ts";
import { unusableReply } from "../../models/model-error.ts";
import type { CreateFormat, Joiner } from "./wrap-create.ts";

type Fields = Record<string, unknown>;

const chatCall = ({ id, name, arguments: args }: ToolCall) => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

const callOf = (item: Fields): ToolCall => ({
  id: String(item["call_id"]),
  name: String(item["name"]),
  arguments: String(item["arguments"]),
});

/** An item of the input in the shape of a chat's message; what a chat does not know keeps its own fields. */
function messageOf(item: Fields): ChatMessage {
  if (item["type"] === "function_call")
    return { role: "assistant", content: null, tool_calls: [chatCall(callOf(item))] };
  if (item["type"] === "function_call_output")
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

const textsIn = (parts: unknown, type?: string): string =>
  ((parts ?? []) as Fields[])
    .filter((part) => type === undefined || part["type"] === type)
    .map((part) => String(part["text"] ?? ""))
    .join("");

function replyOf(response: Response): ModelReply {
  if (!Array.isArray(response?.output)) {
    throw unusableReply({ provider: "openai", model: "unknown" }, "answered without output");
  }
  const items = response.output as unknown as Fields[];
  const content = items
    .map((item) => (item["type"] === "message" ? textsIn(item["content"], "output_text") : ""))
    .join("");
  const thoughts = items.filter(({ type }) => type === "reasoning");
  const reasoning = thoughts.map((item) => textsIn(item["content"]) || textsIn(item["summary"])).join("");
  const toolCalls = items.filter(({ type }) => type === "function_call").map(callOf);
  const { usage } = response;
  return {
    content,
    toolCalls,
    message: {
      role: "assistant",
      content,
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(chatCall) }),
    },
    model: response.model,
    ...(usage
      ? {
          usage: {
            promptTokens: usage.input_tokens,
            completionTokens: usage.output_tokens,
            totalTokens: usage.total_tokens,
            ...(usage.output_tokens_details && {
              reasoningTokens: usage.output_tokens_details.reasoning_tokens,
            }),
            ...(usage.input_tokens_details && { cachedTokens: usage.input_tokens_details.cached_tokens }),
          },
        }
      : {}),
    ...(response.status === undefined
      ? {}
      : { finishReason: response.incomplete_details?.reason ?? response.status }),
    ...(reasoning === "" ? {} : { reasoning }),
  };
}

/** The last event of a stream has all of the answer; before it there is the text that came so far. */
function joiner(): Joiner<ResponseStreamEvent> {
  let response: Response | undefined;
  let text = "";
  return {
    add(event) {
      if ("response" in event) response = event.response;
      if (event.type === "response.output_text.delta") text += event.delta;
    },
    reply() {
      const reply = replyOf(response as Response);
      const isHalf = response?.status === "in_progress" || response?.status === "queued";
      const { finishReason: _, ...half } = reply;
      return isHalf ? { ...half, content: text, message: { role: "assistant", content: text } } : reply;
    },
  };
}

/** How calls of OpenAI's Responses API are read. */
export const RESPONSES: CreateFormat<ResponseStreamEvent> = {
  provider: "openai",
  requestOf,
  replyOf: (answer) => replyOf(answer as Response),
  joiner,
};
