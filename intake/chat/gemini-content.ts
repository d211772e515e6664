import { isObject } from "../../traces/clean-text.ts";
import { resultContent } from "./content.ts";
import type { ChatMessage, ChatToolCall, ContentPart } from "./message.ts";
import { roleOf } from "./role-message.ts";
import { argumentsText } from "./tool-call.ts";

const KINDS = [
  "text",
  "functionCall",
  "function_call",
  "functionResponse",
  "function_response",
  "inlineData",
  "inline_data",
  "fileData",
  "file_data",
  "executableCode",
  "codeExecutionResult",
];

/** Whether a value is a content of Gemini: its parts say by a key what they are, and have no `type`. */
export const isGeminiContent = ({ parts, content }: Record<string, unknown>): boolean =>
  content === undefined &&
  Array.isArray(parts) &&
  parts.every(
    (part) =>
      typeof part === "string" ||
      (isObject(part) && part.type === undefined && KINDS.some((kind) => kind in part)),
  );

const inner = (part: Record<string, unknown>, camel: string, snake: string) => {
  const found = part[camel] ?? part[snake];
  return isObject(found) ? found : undefined;
};

interface Turn {
  parts: ContentPart[];
  calls: ChatToolCall[];
  results: ChatMessage[];
  thoughts: string[];
  extras: unknown[];
}

function takePart(part: unknown, turn: Turn): void {
  if (!isObject(part)) {
    if (part === null) return;
    turn.parts.push({ type: "text", text: typeof part === "string" ? part : JSON.stringify(part) });
    return;
  }
  const { text, thought, functionCall, function_call, functionResponse, function_response, ...rest } = part;
  const call = inner(part, "functionCall", "function_call");
  const response = inner(part, "functionResponse", "function_response");
  if (call !== undefined) {
    const { id, name, args, ...others } = call;
    turn.calls.push({
      ...(typeof id === "string" && { id }),
      type: "function",
      function: { name: String(name), arguments: argumentsText(args), ...others },
      ...rest,
    });
  } else if (response !== undefined) {
    const { id, name, response: given, ...others } = response;
    turn.results.push({
      role: "tool",
      ...(typeof id === "string" && { tool_call_id: id }),
      ...(typeof name === "string" && { name }),
      content: resultContent(given),
      ...others,
      ...rest,
    });
  } else if (thought === true && typeof text === "string") {
    turn.thoughts.push(text);
    if (Object.keys(rest).length > 0) turn.extras.push(rest);
  } else if (typeof text === "string") {
    turn.parts.push({ type: "text", text, ...rest });
  } else {
    const data = inner(part, "inlineData", "inline_data");
    const mime = data?.mimeType ?? data?.mime_type;
    if (data !== undefined && typeof data.data === "string" && String(mime).startsWith("image/"))
      turn.parts.push({ type: "image_url", image_url: { url: `data:${String(mime)};base64,${data.data}` } });
    else turn.parts.push(part);
  }
}

const plain = (parts: ContentPart[]): string | null | ContentPart[] => {
  if (parts.length === 0) return null;
  const [only] = parts;
  const isText =
    parts.length === 1 && isObject(only) && Object.keys(only).length === 2 && typeof only.text === "string";
  return isText ? (only.text as string) : parts;
};

/** The messages that a content of Gemini is: results of functions are messages of their own. */
export function geminiMessages(value: Record<string, unknown>): ChatMessage[] | string {
  const { role, parts, ...others } = value;
  const turn: Turn = { parts: [], calls: [], results: [], thoughts: [], extras: [] };
  for (const part of parts as unknown[]) takePart(part, turn);
  const said = roleOf(role ?? (turn.calls.length > 0 ? "model" : "user"));
  if (said === undefined) return "role is neither user nor model";
  const isSilent = turn.parts.length + turn.calls.length + turn.thoughts.length === 0;
  if (isSilent && turn.results.length > 0)
    return turn.results.map((result, index) => (index === 0 ? { ...others, ...result } : result));
  const message: ChatMessage = {
    ...others,
    role: said === "function" || said === "tool" ? "user" : said,
    content: plain(turn.parts),
    ...(turn.thoughts.length > 0 && { reasoning_content: turn.thoughts.join("\n") }),
    ...(turn.extras.length > 0 && { reasoning_parts: turn.extras }),
    ...(turn.calls.length > 0 && { tool_calls: turn.calls }),
  };
  return [...turn.results, message];
}
