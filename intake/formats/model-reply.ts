import { isObject } from "../../traces/clean-text.ts";
import { isMessage, isMessageList } from "../chat/read-messages.ts";
import { type ToolDefinition, toolDefinitions } from "../chat/tool-definitions.ts";
import { Fields, listIn, nameIn, objectIn, type Reader, textIn } from "./fields.ts";
import type { RecordedUsage } from "./format.ts";
import { assembled, isStreamPart } from "./reply-streams.ts";
import { usageIn } from "./usage-in.ts";

/** What a provider answered. */
export interface ModelReply {
  /** Its messages, in the provider's own dialect. */
  messages: unknown[];
  id?: string | undefined;
  model?: string | undefined;
  usage?: RecordedUsage | undefined;
  /** When it was made, as it was recorded. */
  at?: unknown;
  /** What it says went wrong. */
  error?: string | undefined;
  /** The tools that the reply names as offered. */
  tools?: ToolDefinition[] | undefined;
  /** Instructions that the reply repeats. */
  instructions?: string | undefined;
  /** How many answers there are: the first is the one in `messages`, the others stay in `rest`. */
  answers: number;
  /** All else that it holds. */
  rest?: Record<string, unknown> | undefined;
}

const without = (value: Record<string, unknown>, name: string): Record<string, unknown> | undefined => {
  const { [name]: _, ...rest } = value;
  return Object.keys(rest).length === 0 ? undefined : rest;
};

/** Takes the first answer out of a list of answers; what else stands beside it is left over. */
function firstAnswer(
  reply: Fields,
  name: "choices" | "candidates",
  inner: readonly string[],
): { answer: unknown; answers: number } | undefined {
  const list = listIn(reply.record[name]);
  const [first, ...others] = list ?? [];
  const key = isObject(first) ? inner.find((each) => first[each] != null) : undefined;
  if (!isObject(first) || key === undefined) return undefined;
  const left = [without(first, key), ...others].filter((each) => each !== undefined);
  reply.replace(name, left.length === 0 ? undefined : left);
  return { answer: first[key], answers: 1 + others.length };
}

const errorOf = (value: unknown): string | undefined =>
  textIn(value) ?? (isObject(value) ? (textIn(value.message) ?? JSON.stringify(value)) : undefined);

const facts = (reply: Fields): Omit<ModelReply, "messages" | "answers"> => {
  const { record } = reply;
  return {
    id: nameIn(record.id) ?? nameIn(record.responseId),
    model: textIn(record.model) ?? textIn(record.modelVersion),
    usage: usageIn(record.usage) ?? usageIn(record.usageMetadata) ?? usageIn(record.usage_metadata),
    at: record.created ?? record.created_at ?? record.createTime,
    error: errorOf(record.error),
    rest: reply.rest(),
  };
};

/** OpenAI's chat completions, and the older ones of text. */
function completion(value: Record<string, unknown>): ModelReply | undefined {
  const reply = new Fields(value);
  const found = firstAnswer(reply, "choices", ["message", "text"]);
  if (found === undefined) return undefined;
  const { answer, answers } = found;
  if (typeof answer !== "string" && !isObject(answer)) return undefined;
  const message =
    typeof answer === "string" ? { role: "assistant", content: answer } : { role: "assistant", ...answer };
  return { messages: [message], answers, ...facts(reply) };
}

function gemini(value: Record<string, unknown>): ModelReply | undefined {
  const reply = new Fields(value);
  const found = firstAnswer(reply, "candidates", ["content"]);
  if (found === undefined || !isObject(found.answer)) return undefined;
  const content = { role: "model", parts: [], ...found.answer };
  return { messages: [content], answers: found.answers, ...facts(reply) };
}

/** An object of OpenAI's Responses. */
function responses(value: Record<string, unknown>): ModelReply | undefined {
  if (!isMessageList(value.output)) return undefined;
  const reply = new Fields(value);
  reply.drop("output");
  const listed = value.output.filter(({ type }) => type === "mcp_list_tools");
  const offered = listed.flatMap(({ tools }) => toolDefinitions(tools) ?? []);
  const declared = reply.take("tools", toolDefinitions) ?? [];
  const tools = [...declared, ...offered];
  const instructions = reply.take("instructions", textIn);
  return {
    messages: value.output,
    answers: 1,
    tools: tools.length === 0 ? undefined : tools,
    instructions,
    ...facts(reply),
  };
}

/** A message of Anthropic's API: what it says of itself is kept apart from what it says. */
function anthropic(value: Record<string, unknown>): ModelReply | undefined {
  if (value.type !== "message" || value.role !== "assistant" || !Array.isArray(value.content))
    return undefined;
  const reply = new Fields(value);
  reply.drop("type", "role", "content");
  return { messages: [{ role: "assistant", content: value.content }], answers: 1, ...facts(reply) };
}

/** Whether a value is what a provider's API answers with, and not a message or a text alone. */
export const providerReplyIn: Reader<ModelReply> = (value) => {
  const object = objectIn(value);
  if (object === undefined) return undefined;
  return anthropic(object) ?? completion(object) ?? gemini(object) ?? responses(object);
};

/** The data of a recorded event stream. */
const eventsIn: Reader<unknown[]> = (value) => {
  if (typeof value !== "string" || !/^(?:data|event): ?\S/.test(value)) return undefined;
  const data = value
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trim());
  const parts = data.filter((line) => line !== "[DONE]").map((line) => objectIn(line));
  return parts.length > 0 && parts.every((part) => part !== undefined) ? parts : undefined;
};

/** What a provider answered, whole or as the parts of a stream. */
export const streamedIn: Reader<ModelReply> = (value) => {
  const list = listIn(value) ?? eventsIn(value);
  if (list === undefined) return providerReplyIn(value);
  if (list.length === 0 || !list.every(isStreamPart)) return undefined;
  const { replies, unused } = assembled(list);
  const reply = replies.length === 1 ? providerReplyIn(replies[0]) : undefined;
  if (reply === undefined || unused.length === 0) return reply;
  return { ...reply, rest: { ...reply.rest, events: unused } };
};

/**
 * What a model answered: what a provider's API gave, a message, a list of them, the parts of a stream, or a
 * text; any of these also as JSON text.
 */
export const replyIn: Reader<ModelReply> = (value) => {
  const reply = providerReplyIn(value);
  if (reply !== undefined) return reply;
  const object = objectIn(value);
  const body = object === undefined ? undefined : streamedIn(object.body);
  // What was recorded of HTTP, and a batch's answer, wrap what the provider gave.
  if (body !== undefined && object !== undefined)
    return { ...body, rest: { ...without(object, "body"), ...(body.rest && { body: body.rest }) } };
  if (object !== undefined && typeof object.text === "string" && "finish_reason" in object) {
    const { text, ...rest } = object;
    return { messages: [{ role: "assistant", content: text }], answers: 1, rest };
  }
  if (isMessage(object)) return { messages: [object], answers: 1 };
  if (object !== undefined) return undefined;
  const streamed = streamedIn(value);
  if (streamed !== undefined) return streamed;
  const list = listIn(value);
  if (list !== undefined) return isMessageList(list) ? { messages: list, answers: 1 } : undefined;
  const text = textIn(value);
  return text === undefined ? undefined : { messages: [{ role: "assistant", content: text }], answers: 1 };
};
