import { isObject } from "../../traces/clean-text.ts";
import type { ChatMessage, ContentPart } from "../chat/message.ts";
import { readMessages } from "../chat/read-messages.ts";
import { listIn, textIn } from "./fields.ts";

type Record_ = Record<string, unknown>;

/** A thought; one that its provider hides keeps what it can be sent back with. */
function thought({ reasoning, summary, redacted, ...rest }: Record_): ContentPart {
  if (redacted !== true) return { ...rest, text: reasoning, ...(summary !== undefined && { summary }) };
  return { ...rest, text: summary ?? "", redacted, data: reasoning };
}

/** A part of a content as OpenAI's API has it. */
function partOf(part: unknown): ContentPart {
  if (!isObject(part)) return part as ContentPart;
  if (part.type === "reasoning" && typeof part.reasoning === "string") return thought(part);
  if (part.type !== "image" || typeof part.image !== "string") return part;
  const { type: _, image, detail, ...rest } = part;
  return {
    type: "image_url",
    image_url: { url: image, ...(detail !== undefined && { detail }) },
    ...rest,
  };
}

const isServerTool = (part: unknown): part is Record_ =>
  isObject(part) && part.type === "tool_use" && typeof part.name === "string";

/** A tool that the provider ran while it answered: the call, and its result. */
function serverCall({ type: _, id, name, arguments: given, result, error, ...rest }: Record_) {
  const call = { id, type: "function", function: { name, arguments: given }, ...rest };
  const answer = {
    role: "tool",
    tool_call_id: id,
    name,
    content: textIn(error) ?? result ?? "",
    ...(error != null && { error }),
  };
  return { call, answer };
}

/** What was said between two calls: a text alone as a text. */
function contentOf(said: ContentPart[]): string | null | ContentPart[] {
  const [only] = said;
  if (said.length === 0) return null;
  const isText = isObject(only) && only.type === "text" && Object.keys(only).length === 2;
  return said.length === 1 && isText && typeof only.text === "string" ? only.text : said;
}

/** An answer in which the provider ran tools becomes the turns that it was made of. */
function turnsOf(message: Record_, parts: unknown[]): Record_[] {
  const { content: _, tool_calls: asked, ...first } = message;
  const turns: Record_[] = [];
  let said: ContentPart[] = [];
  let ran: ReturnType<typeof serverCall>[] = [];
  const end = (): void => {
    const own = turns.length === 0 ? first : { role: "assistant" };
    turns.push({
      ...own,
      content: contentOf(said),
      ...(ran.length > 0 && { tool_calls: ran.map(({ call }) => call) }),
    });
    for (const { answer } of ran) turns.push(answer);
    said = [];
    ran = [];
  };
  for (const part of parts) {
    if (isServerTool(part)) ran.push(serverCall(part));
    else {
      if (ran.length > 0) end();
      said.push(partOf(part));
    }
  }
  const calls = listIn(asked) ?? [];
  if (ran.length > 0) end();
  if (calls.length > 0)
    turns.push({
      ...(turns.length === 0 ? first : { role: "assistant" }),
      content: contentOf(said),
      tool_calls: calls,
    });
  else if (said.length > 0) end();
  return turns;
}

/** What a tool said; where it failed, the agent was told why. */
function answerOf({ function: name, tool_error, ...message }: Record_): Record_ {
  const error = message.error ?? tool_error;
  const why = isObject(error) ? textIn(error.message) : textIn(error);
  const isSilent = message.content === undefined || message.content === null || message.content === "";
  return {
    ...message,
    ...(name != null && { name }),
    ...(isSilent && { content: why ?? "" }),
    ...(error != null && { error }),
  };
}

function plainMessages(message: Record_): Record_[] {
  if (message.role === "tool") {
    const parts = message.content;
    return [answerOf(Array.isArray(parts) ? { ...message, content: parts.map(partOf) } : message)];
  }
  const { reasoning, ...rest } = message;
  const thoughtful = typeof reasoning === "string" ? { ...rest, reasoning_content: reasoning } : message;
  const { content } = thoughtful;
  if (!Array.isArray(content)) return [thoughtful];
  if (content.some(isServerTool)) return turnsOf(thoughtful, content);
  return [{ ...thoughtful, content: content.map(partOf) }];
}

/**
 * A message of an Inspect log: one, or more where the provider ran tools while it answered.
 *
 * @returns the messages, or why there is none
 */
export function inspectMessages(message: unknown): ChatMessage[] | string {
  if (!isObject(message)) return "is not an object";
  const read = readMessages(plainMessages(message));
  return typeof read === "string" ? read.replace(/^\[\d+\][ .]/, "") : read;
}
