import { isObject } from "../../traces/clean-text.ts";
import { counted, type LogEvent, restOf, resultsBehindCalls, textOr } from "./agent-log.ts";
import { present } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedMessage } from "./format.ts";
import { chatOf } from "./gemini-cli-chat.ts";

const SPOKEN = new Set(["user", "gemini"]);
const SHOWN = new Set(["info", "error", "warning"]);

const isTyped = (value: unknown): boolean =>
  isObject(value) && typeof value.type === "string" && (SPOKEN.has(value.type) || SHOWN.has(value.type));

const isMessage = (value: LogEvent): boolean =>
  isTyped(value) && (value.content !== undefined || value.message !== undefined || value.type === "gemini");

const isHeader = ({ sessionId, projectHash, type }: LogEvent): boolean =>
  typeof sessionId === "string" && typeof projectHash === "string" && type === undefined;

/** Whether a value is a chat of Gemini CLI, or a line of one. */
function recognizes(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { messages, sessionId, role } = value;
  if (Array.isArray(messages))
    return (
      isHeader(value) || (typeof sessionId === "string" && messages.length > 0 && messages.every(isTyped))
    );
  if (isHeader(value)) return true;
  if (role !== undefined || !isMessage(value)) return false;
  return typeof value.id === "string" || (typeof sessionId === "string" && value.messageId !== undefined);
}

/** A chat, as it grows line by line. */
class Chat {
  header: LogEvent = {};
  messages: LogEvent[] = [];
  replaced: LogEvent[] = [];
  rewound: LogEvent[] = [];
  unread: unknown[] = [];

  add(value: unknown): void {
    if (!isObject(value)) {
      this.unread.push(value);
    } else if (typeof value.$rewindTo === "string") {
      const found = this.messages.findIndex(({ id }) => id === value.$rewindTo);
      for (const each of this.messages.splice(Math.max(0, found))) this.rewound.push(each);
    } else if (isObject(value.$set)) {
      this.#set(value.$set);
    } else if (isTyped(value)) {
      this.#say(value);
    } else if (value.type === undefined && (value.sessionId !== undefined || Array.isArray(value.messages))) {
      this.#set(value);
    } else {
      this.unread.push(value);
    }
  }

  #set({ messages, ...header }: LogEvent): void {
    this.header = { ...this.header, ...header };
    if (!Array.isArray(messages)) return;
    for (const each of this.messages.splice(0)) this.replaced.push(each);
    for (const message of messages as unknown[]) this.add(message);
  }

  /** A message is written again whenever it changes. */
  #say(message: LogEvent): void {
    const { id } = message;
    const at = typeof id === "string" ? this.messages.findLastIndex((each) => each.id === id) : -1;
    if (at === -1) this.messages.push(message);
    else for (const each of this.messages.splice(at, 1, message)) this.replaced.push(each);
  }
}

/** The chats of a file: a header begins one, and logs of prompts name the session in each line. */
function chatsOf(values: readonly unknown[]): Chat[] {
  const chats: Chat[] = [];
  const bySession = new Map<string, Chat>();
  for (const value of values) {
    const session = isObject(value) ? textOr(value.sessionId, undefined) : undefined;
    const known = session === undefined ? chats.at(-1) : bySession.get(session);
    const chat = known ?? new Chat();
    if (known === undefined) chats.push(chat);
    if (session !== undefined && !bySession.has(session)) bySession.set(session, chat);
    chat.add(value);
  }
  return chats;
}

/** What a chat said last, where that is how it ended. */
function endOf(messages: readonly LogEvent[]): Pick<RecordedConversation, "status" | "error"> {
  const last = messages.at(-1);
  if (last?.type !== "error") return {};
  const { content, message } = last;
  return { status: "failed", error: textOr(content ?? message, undefined) };
}

function conversationOf(chat: Chat, context: ReadingContext): RecordedConversation | undefined {
  const timeOf = (value: unknown) => context.timeOf(value, "timestamp");
  const shown: LogEvent[] = [];
  const turns: RecordedMessage[] = [];
  const session = textOr(chat.header.sessionId, textOr(chat.messages[0]?.sessionId, undefined));
  for (const message of chat.messages) {
    const { sessionId, ...own } = message;
    const read = SPOKEN.has(message.type as string) && isMessage(message) ? chatOf(own, timeOf) : undefined;
    if (typeof read === "string")
      context.note(`a message cannot be read (${read}): it is kept with the metadata`);
    if (Array.isArray(read)) for (const each of read) turns.push(each);
    else shown.push(sessionId === session ? own : message);
  }
  if (turns.length === 0) return undefined;
  if (chat.rewound.length > 0)
    context.note(
      `${counted(chat.rewound.length, "message")} that the user went back from: kept with the metadata`,
    );
  if (chat.unread.length > 0)
    context.note(
      `${counted(chat.unread.length, "value")} without a message of Gemini CLI: kept with the metadata`,
    );
  const messages = resultsBehindCalls(turns);
  const { startTime, lastUpdated, kind } = chat.header;
  const startedAt = context.timeOf(startTime, "startTime");
  const endedAt = context.timeOf(lastUpdated, "lastUpdated");
  const taken = [
    "sessionId",
    ...(startedAt === undefined ? [] : ["startTime"]),
    ...(endedAt === undefined ? [] : ["lastUpdated"]),
  ];
  const model = messages.map(({ message }) => message.model).find((each) => typeof each === "string");
  const list = <T>(values: T[]): T[] | undefined => (values.length === 0 ? undefined : values);
  return {
    content: { session, messages: messages.map(({ message }) => message) },
    messages,
    id: session,
    agent: "gemini-cli",
    ...(kind === "subagent" && { tags: ["sub-agent"] }),
    ...endOf(chat.messages),
    startedAt,
    endedAt,
    metadata: present({
      ...restOf(chat.header, ...taken),
      model,
      events: list(shown),
      rewound: list(chat.rewound),
      replaced: list(chat.replaced),
      unread: list(chat.unread),
    }),
  };
}

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const chats = chatsOf(values);
  const found = chats.flatMap((chat) => conversationOf(chat, context) ?? []);
  const silent = chats.length - found.length;
  if (found.length === 0)
    return `no message of a user or of Gemini is in it; found ${counted(silent, "chat")}`;
  if (silent > 0) context.note(`${counted(silent, "chat")} without a message of a user or of Gemini`);
  return found;
}

/** Chats of Gemini CLI, as `~/.gemini/tmp` holds them: as one object, line by line, or as the log of prompts. */
export const geminiCli: Format = {
  name: "gemini-cli",
  translation: 1,
  about: "chats of Gemini CLI (~/.gemini/tmp/*/chats)",
  masked: true,
  recognizes,
  partOf: () => "file",
  read,
};
