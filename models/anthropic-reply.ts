import type { ContentBlock, Message } from "@anthropic-ai/sdk/resources/messages";
import { textOf as jsonTextOf } from "../schemas/json-text.ts";
import { inputOf, isObject } from "./anthropic-input.ts";
import type { ModelReply, ToolCall, Usage } from "./model-client.ts";
import { countOf, reportedUsage } from "./reported-usage.ts";

/** Input that is a text is what came of it. */
function toolCallOf(block: ContentBlock): ToolCall | undefined {
  if (block.type !== "tool_use") return undefined;
  return { id: block.id, name: block.name, arguments: jsonTextOf(block.input) ?? "" };
}

const asBlock = (block: ContentBlock): ContentBlock =>
  block.type === "tool_use" && !isObject(block.input) ? { ...block, input: inputOf(block.input) } : block;

const asChatCall = ({ id, name, arguments: args }: ToolCall): unknown => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

/** Tokens read from the cache and written to it are tokens of the prompt. */
function usageOf(usage: Partial<Message["usage"]> | undefined, silent: boolean): Usage | undefined {
  const cached = countOf(usage?.cache_read_input_tokens) ?? 0;
  const fresh = countOf(usage?.input_tokens);
  return reportedUsage({
    silent,
    prompt:
      fresh === undefined ? undefined : fresh + cached + (countOf(usage?.cache_creation_input_tokens) ?? 0),
    completion: usage?.output_tokens,
    reasoning: usage?.output_tokens_details?.thinking_tokens,
    cached: cached === 0 ? undefined : cached,
  });
}

/** Why it refused, where it said nothing else. */
const refusalOf = ({ stop_reason, stop_details }: Message): string =>
  stop_reason === "refusal" && typeof stop_details?.explanation === "string" ? stop_details.explanation : "";

/** Anthropic's answer in the shape that every provider's answer has here. */
export function anthropicReply(message: Message): ModelReply {
  const blocks = (message.content ?? []).filter((block) => typeof block === "object" && block !== null);
  const text = blocks.map((block) => (block.type === "text" ? block.text : "")).join("");
  const content = text || refusalOf(message);
  const reasoning = blocks.map((block) => (block.type === "thinking" ? block.thinking : "")).join("");
  const toolCalls = blocks.map(toolCallOf).filter((call) => call !== undefined);
  const silent = content === "" && reasoning === "" && toolCalls.length === 0;
  const usage = usageOf(message.usage, silent);
  return {
    content,
    toolCalls,
    message: {
      role: "assistant",
      content,
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(asChatCall) }),
      blocks: blocks.map(asBlock),
    },
    model: message.model,
    ...(usage === undefined ? {} : { usage }),
    ...(message.stop_reason === null ? {} : { finishReason: message.stop_reason }),
    ...(reasoning === "" ? {} : { reasoning }),
  };
}
