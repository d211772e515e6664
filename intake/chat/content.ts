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

/** Parts with a medium of its own, whose address LLaMA-Factory writes as a value. */
const MEDIA = new Set(["image_url", "video_url", "audio_url"]);

/** An image, or another medium by its address, in OpenAI's shape; undefined where the part is none or is so already. */
function mediumPart({ type, ...part }: Record<string, unknown>): ContentPart | undefined {
  if (typeof type === "string" && MEDIA.has(type)) {
    const { [type]: own, value, ...rest } = part;
    const url = own ?? value;
    return typeof url === "string" ? { type, ...rest, [type]: { url } } : undefined;
  }
  if (type === "input_image" && typeof part.image_url === "string")
    return { type: "image_url", ...part, image_url: { url: part.image_url } };
  if (type === "image" && typeof part.data === "string" && typeof part.mimeType === "string") {
    const { data, mimeType, ...rest } = part;
    return {
      type: "image_url",
      ...rest,
      image_url: { url: `data:${String(mimeType)};base64,${String(data)}` },
    };
  }
  const { source, ...rest } = part;
  if (type !== "image" || !isObject(source)) return undefined;
  const { type: _, data, media_type, url, ...others } = source;
  const extra = { ...rest, ...(Object.keys(others).length > 0 && { source: others }) };
  if (typeof url === "string") return { type: "image_url", ...extra, image_url: { url } };
  if (typeof data !== "string") return undefined;
  const inline = `data:${String(media_type)};base64,${data}`;
  return { type: "image_url", ...extra, image_url: { url: inline } };
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

const RESULT_IDS = ["tool_use_id", "toolCallId", "tool_call_id", "call_id", "id"];
const RESULT_NAMES = ["toolName", "name"];
const RESULT_CONTENTS = ["content", "output", "result", "response", "value"];

function resultMessage({ type: _, ...part }: Record<string, unknown>): ChatMessage {
  const left: Record<string, unknown> = { ...part };
  const take = (names: readonly string[], wanted: (value: unknown) => boolean): unknown => {
    const name = names.find((each) => wanted(part[each]));
    if (name === undefined) return undefined;
    delete left[name];
    return part[name];
  };
  const isText = (value: unknown): value is string => typeof value === "string";
  const call = take(RESULT_IDS, isText) as string | undefined;
  const tool = take(RESULT_NAMES, isText) as string | undefined;
  const given = take(RESULT_CONTENTS, (value) => value !== undefined);
  return {
    ...left,
    role: "tool",
    ...(call !== undefined && { tool_call_id: call }),
    ...(tool !== undefined && { name: tool }),
    content: resultContent(given),
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

/** The calls that a part is; LLaMA-Factory writes them as the JSON text of a value. */
function callsIn(part: Record<string, unknown>): ChatToolCall[] | undefined {
  const { value, type: _, ...rest } = part;
  let given: unknown[] = [part];
  if (typeof value === "string") {
    try {
      given = [JSON.parse(value) as unknown]
        .flat()
        .map((call) => (isObject(call) ? { ...rest, ...call } : call));
    } catch {
      return undefined;
    }
  }
  const calls = given.map(toolCallOf);
  return calls.length > 0 && calls.every((call) => isObject(call)) ? calls : undefined;
}

function takePart(part: ContentPart, into: SplitContent, parts: ContentPart[]): void {
  if (typeof part === "string") {
    parts.push(part);
    return;
  }
  const type = typeof part.type === "string" ? part.type : "";
  if (CALLS.has(type)) {
    const calls = callsIn(part);
    if (calls === undefined) parts.push(part);
    else for (const each of calls) into.calls.push(each);
  } else if (RESULTS.has(type) || type.endsWith("_tool_result")) {
    into.results.push(resultMessage(part));
  } else if (THOUGHTS.has(type)) {
    takeReasoning(part, into);
  } else {
    parts.push(textPart(part) ?? mediumPart(part) ?? part);
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
