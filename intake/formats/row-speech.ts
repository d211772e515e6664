import { isObject } from "../../traces/clean-text.ts";
import { isMessage, isMessageList } from "../chat/read-messages.ts";
import { Fields, listIn, objectIn, type Reader, textIn } from "./fields.ts";
import { type ModelReply, providerReplyIn, replyIn } from "./model-reply.ts";

/** What was said in a row: what was asked, and what was answered. */
export interface RowSpeech {
  values: unknown[];
  reply?: ModelReply | undefined;
  /** The request that a row keeps under a name of its own, whose other fields are still to be taken. */
  request?: Fields | undefined;
}

/** A list of messages, also as JSON text, or one message. */
const listedIn: Reader<unknown[]> = (value) => {
  const list = listIn(value);
  if (list !== undefined) return list;
  const one = objectIn(value);
  return isMessage(one) ? [one] : undefined;
};

/** The same, or a text that a user said. */
const askedIn: Reader<unknown[]> = (value) => {
  const listed = listedIn(value);
  // A request as JSON text is not what the user said.
  if (listed !== undefined || holdsRequest(objectIn(value))) return listed;
  const text = textIn(value);
  return text === undefined ? undefined : [{ role: "user", content: text }];
};

/** Where what was asked stands, and how it is read there. */
const ASKED: readonly [name: string, as: Reader<unknown[]>][] = [
  ["messages", listedIn],
  ["contents", askedIn],
  ["input", askedIn],
  ["prompt", askedIn],
];
const SYSTEM = ["system", "system_prompt", "systemInstruction", "system_instruction"];
const REQUESTS = ["request", "body", "input"];
const ANSWERS = ["completion", "response", "output"];

const holdsRequest = (value: unknown): boolean =>
  isObject(value) && ASKED.some(([name, as]) => value[name] != null && as(value[name]) !== undefined);

/** What the system says, as a message; Gemini writes it as a content. */
const systemIn: Reader<Record<string, unknown>> = (value) => {
  const text = textIn(value);
  if (text !== undefined) return { role: "system", content: text };
  if (Array.isArray(value)) return value.length === 0 ? undefined : { role: "system", content: value };
  return isObject(value) && Array.isArray(value.parts) ? { ...value, role: "system" } : undefined;
};

const isInstruction = (value: unknown): boolean =>
  isObject(value) && (value.role === "system" || value.role === "developer");

function withSystem(row: Fields, asked: unknown[], name: string): unknown[] {
  const names = name === "input" ? [...SYSTEM, "instructions"] : SYSTEM;
  const found = names.map((each) => row.take(each, systemIn)).filter((each) => each !== undefined);
  const isSaid = (system: Record<string, unknown>): boolean =>
    asked.some(
      (value) => isInstruction(value) && (value as Record<string, unknown>).content === system.content,
    );
  return [...found.filter((system) => !isSaid(system)), ...asked];
}

const isAnswered = (asked: readonly unknown[]): boolean => {
  const last = asked.at(-1);
  return isObject(last) && ["assistant", "ai", "model"].includes(String(last.role ?? last.type));
};

/** Takes the answer of a row, from wherever it keeps it. */
function takeAnswer(row: Fields, asked: readonly unknown[]): ModelReply | undefined {
  for (const name of ANSWERS) {
    if (!row.isLeft(name) || (name === "output" && isAnswered(asked))) continue;
    const reply = replyIn(row.record[name]);
    if (reply === undefined) continue;
    row.replace(name, reply.rest);
    return reply;
  }
  for (const name of ["choices", "candidates"]) {
    const reply = row.isLeft(name) ? providerReplyIn({ [name]: row.record[name] }) : undefined;
    if (reply === undefined) continue;
    row.replace(name, reply.rest?.[name]);
    return reply;
  }
  return undefined;
}

/** Whether the messages of a row end with its answer already. */
function isRepeated(asked: readonly unknown[], reply: ModelReply): boolean {
  const last = asked.at(-1);
  const [only] = reply.messages;
  if (reply.messages.length !== 1 || !isObject(last) || !isObject(only)) return false;
  return (
    last.role === only.role &&
    JSON.stringify([last.content, last.tool_calls ?? null]) ===
      JSON.stringify([only.content, only.tool_calls ?? null])
  );
}

/**
 * What was said in a row, from wherever it keeps it: `messages`, `prompt`, `input` or Gemini's `contents`, beside them
 * what the system says, and an answer that stands apart.
 *
 * @returns why there is nothing said, where nothing is
 */
export function speechOf(row: Fields): RowSpeech | string {
  const own = ASKED.find(([name, as]) => row.isLeft(name) && as(row.record[name]) !== undefined);
  const holder =
    own === undefined ? REQUESTS.find((name) => holdsRequest(objectIn(row.record[name]))) : undefined;
  const request = holder === undefined ? undefined : new Fields(objectIn(row.record[holder])!);
  const from = request ?? row;
  const [name, as] =
    own ?? ASKED.find(([each, read]) => from.isLeft(each) && read(from.record[each]) !== undefined) ?? [];
  if (holder !== undefined) row.drop(holder);
  if (name === undefined || as === undefined) {
    const there = ASKED.map(([each]) => each).find((each) => row.isLeft(each));
    return there === undefined ? "messages is missing" : `${there} is not a list of messages`;
  }
  const asked = withSystem(from, from.take(name, as)!, name);
  const reply = takeAnswer(row, asked);
  const said = reply === undefined || isRepeated(asked, reply) ? [] : reply.messages;
  const values = [...asked, ...said];
  if (values.length === 0) return `${name} is empty`;
  return { values, reply, request };
}

/** Whether a row keeps what was said in a way that {@link speechOf} reads. */
export function holdsSpeech(row: Record<string, unknown>): boolean {
  if (row.messages !== undefined) return true;
  if (isMessageList(row.contents)) return true;
  const isAnswer = (name: string): boolean => row[name] != null && replyIn(row[name]) !== undefined;
  const isAsked = (name: string): boolean => row[name] != null && askedIn(row[name]) !== undefined;
  if (isAsked("prompt") && (row.completion !== undefined || row.response !== undefined)) return true;
  if (REQUESTS.some((name) => holdsRequest(objectIn(row[name])))) return true;
  if (row.contents !== undefined && isAsked("contents") && row.candidates !== undefined) return true;
  const given = listIn(row.input);
  if (given !== undefined) return isMessageList(given);
  return isAsked("input") && Array.isArray(row.output) && isAnswer("output");
}
