import type { ChatMessage } from "../chat/message.ts";
import { readMessages } from "../chat/read-messages.ts";
import { inKnownShape } from "./message-shapes.ts";
import { instructing, listed } from "./payload.ts";
import type { Work } from "./work.ts";

/** A call of a model whose messages are read. */
export interface ModelCall {
  work: Work;
  /** What instructs the model before all else. */
  system: ChatMessage[];
  /** All that it was sent after that. */
  asked: ChatMessage[];
  answered: ChatMessage[];
}

const isInstruction = ({ role }: ChatMessage): boolean => role === "system" || role === "developer";

/** Reads messages; those that are none are left out and told. */
function readAll(given: readonly unknown[], where: string, note: (what: string) => void): ChatMessage[] {
  const values = given.map(inKnownShape);
  const all = readMessages(values);
  if (typeof all !== "string") return all.map(withPlainText);
  const readable = values.filter((value) => typeof readMessages([value]) !== "string");
  note(`${where}${all}: what is no message is kept with the metadata`);
  const read = readMessages(readable);
  return typeof read === "string" ? [] : read.map(withPlainText);
}

/** One part of text alone is a text: notations differ in that, and nothing else. */
function withPlainText(message: ChatMessage): ChatMessage {
  const { content } = message;
  if (!Array.isArray(content) || content.length !== 1) return message;
  const [part] = content;
  if (typeof part === "string") return { ...message, content: part };
  if (part?.type !== "text" || typeof part.text !== "string") return message;
  const { type: _, text, ...rest } = part;
  const isPlain = Object.values(rest).every((value) => Array.isArray(value) && value.length === 0);
  return isPlain ? { ...message, content: text as string } : message;
}

/** The call that a piece of work is; undefined where nothing was recorded of what was said. */
export function modelCallOf(work: Work, note: (what: string) => void): ModelCall | undefined {
  const { asked = [], answered = [], instructions } = work.said;
  const before = listed(asked);
  if (before.tools !== undefined) work.said.tools ??= before.tools;
  const sent = readAll(before.asked!, "messages that a model was sent", note);
  const first = sent.findIndex((message) => !isInstruction(message));
  const head = first === -1 ? sent.length : first;
  const own = sent.slice(0, head);
  const system = own.length > 0 ? own : readAll(instructing(instructions), "instructions", note);
  const messages = sent.slice(head);
  const replied = withoutAsked(readAll(answered, "the answer of a model", note), sent);
  if (messages.length === 0 && replied.length === 0) return undefined;
  return { work, system, asked: messages, answered: replied };
}

/** The state of an agent holds all that was said before, too. */
function withoutAsked(answered: ChatMessage[], sent: readonly ChatMessage[]): ChatMessage[] {
  for (const start of [0, sent.findIndex((message) => !isInstruction(message))]) {
    const before = start <= 0 ? sent : sent.slice(start);
    if (before.length === 0 || answered.length < before.length) continue;
    if (before.every((message, index) => isSame(message, answered[index]!)))
      return answered.slice(before.length);
  }
  return answered;
}

const textIn = ({ content }: ChatMessage): string => {
  if (typeof content === "string") return content.trim();
  if (!Array.isArray(content)) return "";
  const texts = content.map((part) =>
    typeof part === "string" ? part : typeof part.text === "string" ? part.text : JSON.stringify(part),
  );
  return texts.join("\n").trim();
};

/** What may be JSON, by how it begins and ends: parsing prose only to see it fail is slow. */
const MAY_BE_JSON = /^(?:\{.*\}|\[.*\]|".*"|-?\d[\d.eE+-]*|true|false|null)$/s;

const canonical = (text: string): string => {
  const written = text.trim();
  if (!MAY_BE_JSON.test(written)) return text;
  try {
    return JSON.stringify(JSON.parse(written));
  } catch {
    return text;
  }
};

const callsIn = ({ tool_calls }: ChatMessage) => tool_calls ?? [];

/** A key that is the same for messages that `isSame` holds to be one. */
export const keyOf = (message: ChatMessage): string =>
  message.role === "tool" || callsIn(message).length > 0
    ? `${message.role} with calls`
    : `${message.role}: ${canonical(textIn(message))}`;

/** What two messages that are one share, however each of them was written down. */
export function isSame(a: ChatMessage, b: ChatMessage): boolean {
  if (a === b) return true;
  if (a.role !== b.role) return false;
  if (a.role === "tool" && a.tool_call_id && b.tool_call_id) return a.tool_call_id === b.tool_call_id;
  const [before, after] = [callsIn(a), callsIn(b)];
  if (before.length !== after.length) return false;
  if (before.length === 0) {
    const [one, two] = [textIn(a), textIn(b)];
    return one === two || canonical(one) === canonical(two);
  }
  return before.every((call, index) => {
    const other = after[index]!;
    if (call.id && other.id) return call.id === other.id;
    const [one, two] = [call.function, other.function];
    return one?.name === two?.name && canonical(one?.arguments ?? "") === canonical(two?.arguments ?? "");
  });
}
