import { isObject } from "../../traces/clean-text.ts";
import type { ChatMessage, ChatToolCall, ContentPart } from "./message.ts";
import { toolCallOf } from "./tool-call.ts";

/** What the parts of a message come to. */
export interface SplitContent {
  /** What is said: text alone as a text, with anything else as a list of parts. */
  content: string | null | ContentPart[];
  calls: ChatToolCall[];
  /** Messages with the results that stood among the parts. */
  results: ChatMessage[];
  reasoning: string[];
  /** Parts of the reasoning with more than text, such as a signature. */
  reasoningParts: unknown[];
}

const TEXT = new Set(["text", "input_text", "output_text", "summary_text"]);
const CALLS = new Set([
  "tool_use",
  "toolUse",
  "tool-call",
  "tool_call",
  "toolCall",
  "function_call",
  "server_tool_use",
  "mcp_tool_use",
]);
const RESULTS = new Set(["tool_result", "tool-result", "tool_call_response", "function_response"]);

/** Whether a part is what a tool answered. */
export const isResult = (part: unknown): boolean =>
  isObject(part) &&
  typeof part.type === "string" &&
  (RESULTS.has(part.type) || part.type.endsWith("_tool_result"));
const THOUGHTS = new Set(["thinking", "reasoning", "redacted_thinking", "thought"]);

const textIn = (part: Record<string, unknown>): string | undefined =>
  [part.text, part.value, part.content].find((found): found is string => typeof found === "string");

/** A text part in OpenAI's shape; undefined where the part is no text. */
function textPart(part: Record<string, unknown>): ContentPart | undefined {
  const { type, ...rest } = part;
  if (typeof part.text === "string" && (type === "text" || type === undefined)) return part;
  const text = textIn(part);
  if (text === undefined) return undefined;
  if (type !== undefined && !(typeof type === "string" && TEXT.has(type))) return undefined;
  const others = Object.entries(rest).filter(([, value]) => value !== text);
  return { type: "text", text, ...Object.fromEntries(others) };
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0);

function imagePart(part: Record<string, unknown>): ContentPart | undefined {
  const { source, image_url } = part;
  if (part.type === "input_image" && typeof image_url === "string") {
    const { type: _, ...rest } = part;
    return { type: "image_url", ...rest, image_url: { url: image_url } };
  }
  if (part.type === "image" && typeof part.data === "string" && typeof part.mimeType === "string") {
    const { type: _, data: own, mimeType, ...rest } = part;
    return { type: "image_url", ...rest, image_url: { url: `data:${mimeType};base64,${own}` } };
  }
  if (part.type !== "image" || !isObject(source)) return undefined;
  const { data, media_type, url } = source;
  if (typeof url === "string") return { type: "image_url", image_url: { url } };
  if (typeof data !== "string") return undefined;
  return { type: "image_url", image_url: { url: `data:${String(media_type)};base64,${data}` } };
}

/** What a tool answered as the AI SDK writes it: its type, and its value. */
const isTypedValue = ({ type, value }: Record<string, unknown>): boolean =>
  value !== undefined && ["text", "json", "error-text", "error-json"].includes(String(type));

/** What a tool answered, as a content: a structure that is no text is written as JSON. */
export function resultContent(value: unknown): string | ContentPart[] {
  if (typeof value === "string") return value;
  if (isEmpty(value)) return "";
  if (isObject(value) && isTypedValue(value))
    return typeof value.value === "string" ? value.value : JSON.stringify(value.value);
  const isParts = Array.isArray(value) && value.every((part) => typeof part === "string" || isObject(part));
  if (isParts && value.some((part) => isObject(part) && part.type !== undefined)) {
    const { content, calls, results } = splitContent(value as ContentPart[]);
    if (calls.length === 0 && results.length === 0) return content ?? "";
  }
  return JSON.stringify(value);
}

function resultMessage(part: Record<string, unknown>): ChatMessage {
  const {
    type: _type,
    tool_use_id,
    toolCallId,
    toolName,
    id,
    name,
    content,
    output,
    result,
    response,
    ...rest
  } = part;
  const call = [tool_use_id, toolCallId, id].find((found) => typeof found === "string") as string | undefined;
  const tool = [toolName, name].find((found) => typeof found === "string") as string | undefined;
  const given = [content, output, result, response].find((found) => found !== undefined);
  return {
    role: "tool",
    ...(call !== undefined && { tool_call_id: call }),
    ...(tool !== undefined && { name: tool }),
    content: resultContent(given),
    ...rest,
  };
}

function takeReasoning(part: Record<string, unknown>, into: SplitContent): void {
  const { thinking, text, content, value } = part;
  const found = [thinking, text, content, value].find((each) => typeof each === "string") as
    | string
    | undefined;
  if (found !== undefined && found !== "") into.reasoning.push(found);
  const { type: _, ...rest } = part;
  const others = Object.values(rest).filter((each) => each !== found && !isEmpty(each));
  if (others.length > 0) into.reasoningParts.push(part);
}

function takePart(part: ContentPart, into: SplitContent, parts: ContentPart[]): void {
  if (typeof part === "string") {
    parts.push(part);
    return;
  }
  const type = typeof part.type === "string" ? part.type : "";
  if (CALLS.has(type)) {
    const call = toolCallOf(part);
    if (typeof call === "string") parts.push(part);
    else into.calls.push(call);
  } else if (RESULTS.has(type) || type.endsWith("_tool_result")) {
    into.results.push(resultMessage(part));
  } else if (THOUGHTS.has(type)) {
    takeReasoning(part, into);
  } else {
    parts.push(textPart(part) ?? imagePart(part) ?? part);
  }
}

const isPlainText = (part: ContentPart): part is { type: "text"; text: string } =>
  typeof part !== "string" &&
  typeof part.text === "string" &&
  (part.type === "text" || part.type === undefined) &&
  Object.keys(part).every((key) => key === "type" || key === "text");

/**
 * Takes the parts of a message apart: text, calls, results and thoughts of any dialect. Parts that nothing is known of
 * stay as they are.
 *
 * @example
 * splitContent([{ type: "tool_use", id: "c1", name: "read", input: {} }]).calls;
 */
export function splitContent(given: readonly ContentPart[]): SplitContent {
  const into: SplitContent = { content: null, calls: [], results: [], reasoning: [], reasoningParts: [] };
  const parts: ContentPart[] = [];
  for (const part of given) takePart(part, into, parts);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && isPlainText(only)) into.content = only.text;
  else if (parts.length > 0) into.content = parts;
  return into;
}
