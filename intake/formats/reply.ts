import { isObject } from "../../traces/clean-text.ts";
import { readMessages } from "../chat/read-messages.ts";
import { recordedMessage } from "./chat-rows.ts";
import { nameIn, objectIn, present } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation } from "./format.ts";
import { type ModelReply, providerReplyIn, streamedIn } from "./model-reply.ts";
import { assembled, isStreamPart } from "./reply-streams.ts";
import { holdsSpeech } from "./row-speech.ts";

/** The reply in what was recorded of HTTP, or in a line of a batch's answers. */
function wrapped(value: Record<string, unknown>): ModelReply | undefined {
  const response = objectIn(value.response);
  const result = objectIn(value.result);
  for (const each of [value.body, response?.body, response, result?.message]) {
    const reply = streamedIn(each);
    if (reply !== undefined) return reply;
  }
  return undefined;
}

function replyOf(value: unknown): { reply: ModelReply; custom: string | undefined } | undefined {
  if (!isObject(value)) return undefined;
  const own = providerReplyIn(value);
  if (own !== undefined) return { reply: own, custom: undefined };
  const reply = wrapped(value);
  return reply === undefined ? undefined : { reply, custom: nameIn(value.custom_id) };
}

function conversationOf(value: unknown, context: ReadingContext): RecordedConversation | string {
  const found = replyOf(value);
  if (found === undefined) return "there is no answer of a model in it";
  const { reply, custom } = found;
  const { instructions, usage } = reply;
  const asked = instructions === undefined ? [] : [{ role: "system", content: instructions }];
  const messages = readMessages([...asked, ...reply.messages]);
  if (typeof messages === "string") return `the answer${messages}`;
  if (reply.answers > 1)
    context.note(`there are ${reply.answers} answers: the first is taken, the others are kept as metadata`);
  const last = messages.findLastIndex(({ role }) => role === "assistant");
  return {
    content: value,
    messages: messages.map((message, index) => {
      const recorded = recordedMessage(message, index, context);
      return index === last && usage !== undefined ? { ...recorded, usage } : recorded;
    }),
    id: custom ?? reply.id,
    task: instructions,
    tools: reply.tools,
    status: reply.error === undefined ? undefined : "failed",
    error: reply.error,
    startedAt: context.timeOf(reply.at, "created_at"),
    agent: reply.model,
    metadata: present({ ...reply.rest }),
  };
}

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const { replies, unused } = assembled(values);
  const conversations: RecordedConversation[] = [];
  const reasons = new Map<string, number>();
  for (const value of replies) {
    const found = conversationOf(value, context);
    if (typeof found === "string") reasons.set(found, (reasons.get(found) ?? 0) + 1);
    else conversations.push(found);
  }
  const [first = "there is no answer of a model in it"] = reasons.keys();
  if (conversations.length === 0) return first;
  for (const [reason, count] of reasons)
    context.note(`${count} of ${replies.length} answers are left out: ${reason}`);
  const [only] = conversations;
  if (unused.length > 0 && only !== undefined) {
    context.note(`${unused.length} events are no part of an answer: they are kept with the metadata`);
    conversations[0] = { ...only, metadata: { ...only.metadata, events: unused } };
  }
  return conversations;
}

/** What providers answered, whole or as a stream, without the requests. */
export const reply: Format = {
  name: "reply",
  translation: 1,
  about: "replies of OpenAI, Anthropic and Gemini alone, whole or as recorded streams",
  recognizes: (value) =>
    isObject(value) && !holdsSpeech(value) && (isStreamPart(value) || replyOf(value) !== undefined),
  partOf: () => "",
  read,
};
