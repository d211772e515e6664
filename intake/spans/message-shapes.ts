import { isObject } from "../../traces/clean-text.ts";
import { parsedText } from "./said.ts";

const KEYS = ["text", "toolUse", "toolResult", "reasoningContent", "image"];

/** Parts of a content that were written as JSON text; any other content as it is. */
export function partsIn(content: unknown): unknown {
  const list = parsedText(content);
  const isPart = (part: unknown): boolean =>
    isObject(part) && (typeof part.type === "string" || KEYS.some((key) => key in part));
  return Array.isArray(list) && list.length > 0 && list.every(isPart) ? list : content;
}

/** A part of a content as Bedrock's Converse writes it: a key says what it is. */
function conversePart(part: unknown): unknown {
  if (!isObject(part) || part.type !== undefined) return part;
  const { text: words, toolUse, toolResult, reasoningContent } = part;
  if (typeof words === "string") return { type: "text", ...part };
  if (isObject(toolUse)) {
    const { toolUseId, ...call } = toolUse;
    return { type: "tool_use", id: toolUseId, ...call };
  }
  if (isObject(toolResult)) {
    const { toolUseId, content, ...rest } = toolResult;
    return { type: "tool_result", tool_use_id: toolUseId, content: resultIn(content), ...rest };
  }
  if (isObject(reasoningContent) && isObject(reasoningContent.reasoningText)) {
    const { text, ...rest } = reasoningContent.reasoningText;
    return { type: "thinking", thinking: text, ...rest };
  }
  return part;
}

/** The parts of a result: texts, or JSON. */
function resultIn(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  const parts = (content as unknown[]).map((part) => {
    if (!isObject(part) || part.type !== undefined) return part;
    if (typeof part.text === "string") return { type: "text", text: part.text };
    return part.json === undefined ? part : { type: "text", text: JSON.stringify(part.json) };
  });
  const [only] = parts;
  return parts.length === 1 && isObject(only) && typeof only.text === "string" ? only.text : parts;
}

/**
 * A message that tracing tools write in a shape of their own, in one that is known: calls that LangChain keeps beside
 * the message, parts of Bedrock's Converse.
 */
export function inKnownShape(message: unknown): unknown {
  if (!isObject(message) || message.role === undefined) return message;
  const { additional_kwargs, content, tool_calls, ...rest } = message;
  const beside = isObject(additional_kwargs) ? additional_kwargs : {};
  const { tool_calls: kept, ...others } = beside;
  const own = Array.isArray(tool_calls) && tool_calls.length > 0;
  const calls = own || !Array.isArray(kept) ? tool_calls : kept;
  return {
    ...rest,
    ...(content !== undefined && { content: Array.isArray(content) ? content.map(conversePart) : content }),
    ...(Object.keys(others).length > 0 && { additional_kwargs: others }),
    ...(calls !== undefined && { tool_calls: calls as unknown }),
  };
}
