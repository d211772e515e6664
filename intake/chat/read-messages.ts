import { isObject } from "../../traces/clean-text.ts";
import { geminiMessages, isGeminiContent } from "./gemini-content.ts";
import { isLangChainMessage, langChainMessages } from "./langchain-message.ts";
import type { ChatMessage } from "./message.ts";
import { isPartsMessage, partsMessages } from "./parts-message.ts";
import { isResponsesItem, joinTurns, responsesMessages } from "./responses-items.ts";
import { roleMessages } from "./role-message.ts";
import { isShareGptTurn, shareGptMessages } from "./sharegpt-turn.ts";

/** One way of writing messages, told apart by what a value holds. */
interface Dialect {
  is(value: Record<string, unknown>): boolean;
  read(value: Record<string, unknown>): ChatMessage[] | string;
}

/** In the order in which they are tried; OpenAI's and Anthropic's roles come last, since they ask for least. */
const DIALECTS: readonly Dialect[] = [
  { is: isResponsesItem, read: responsesMessages },
  { is: isLangChainMessage, read: langChainMessages },
  { is: isShareGptTurn, read: shareGptMessages },
  { is: isGeminiContent, read: geminiMessages },
  { is: isPartsMessage, read: partsMessages },
  { is: ({ role }) => role !== undefined, read: roleMessages },
];

/** Whether a value looks like a message of any dialect. */
export const isMessage = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && DIALECTS.some(({ is }) => is(value));

/** Whether a value is a list of messages of any dialects, one at least. */
export const isMessageList = (value: unknown): value is Record<string, unknown>[] =>
  Array.isArray(value) && value.length > 0 && value.every(isMessage);

function messagesOf(value: unknown): ChatMessage[] | string {
  if (!isObject(value)) return "is not an object";
  const dialect = DIALECTS.find(({ is }) => is(value));
  return dialect === undefined ? "role is missing" : dialect.read(value);
}

/**
 * Messages of any dialect as OpenAI's chat messages: OpenAI's own (also Responses items), Anthropic's, Gemini's,
 * LangChain's, ShareGPT's, those of OpenTelemetry and the AI SDK. What a message holds besides stays in it.
 *
 * @returns the messages, or which of the values is none and why
 * @example
 * readMessages([{ role: "user", parts: [{ text: "hi" }] }]); // [{ role: "user", content: "hi" }]
 */
export function readMessages(values: readonly unknown[]): ChatMessage[] | string {
  const messages: ChatMessage[] = [];
  for (const [index, value] of values.entries()) {
    const read = messagesOf(value);
    if (typeof read === "string") return `[${index}]${read.startsWith("is ") ? " " : "."}${read}`;
    for (const message of read) messages.push(message);
  }
  return joinTurns(messages);
}
