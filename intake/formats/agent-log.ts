import { isObject } from "../../traces/clean-text.ts";
import type { ChatMessage } from "../chat/message.ts";
import type { RecordedMessage } from "./format.ts";

/** What the logs of coding agents have in common: an event a line, of which some are messages. */
export type LogEvent = Record<string, unknown>;

/** A text, where a value is one that is not empty. */
export const textOr = <T>(value: unknown, otherwise: T): string | T =>
  typeof value === "string" && value !== "" ? value : otherwise;

const isBlank = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === "" ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0);

/** The fields of an event that say something, but for those that have got a place of their own. */
export function restOf(event: LogEvent, ...taken: string[]): LogEvent | undefined {
  const left = Object.entries(event).filter(([name, value]) => !taken.includes(name) && !isBlank(value));
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

/**
 * Fields that most events of a log repeat. The first value of each is kept once; events keep theirs where it differs.
 */
export class SharedFields {
  readonly values: LogEvent = {};
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** The event without what it shares with others. */
  without(event: LogEvent): LogEvent {
    const own: LogEvent = { ...event };
    for (const name of this.#names) {
      if (isBlank(event[name])) continue;
      if (!Object.hasOwn(this.values, name)) this.values[name] = event[name];
      if (JSON.stringify(this.values[name]) === JSON.stringify(event[name])) delete own[name];
    }
    return own;
  }
}

/** A content of one plain text part is that text. */
export function plainContent<T>(content: T): T | string {
  if (!Array.isArray(content) || content.length !== 1) return content;
  const [part] = content as unknown[];
  if (typeof part === "string") return part;
  const isPlain =
    isObject(part) &&
    typeof part.text === "string" &&
    (part.type === "text" || part.type === undefined) &&
    Object.keys(part).every((key) => key === "type" || key === "text");
  return isPlain ? (part.text as string) : content;
}

const idsOf = ({ tool_calls }: ChatMessage): string[] =>
  (tool_calls ?? []).map(({ id }) => id).filter((id) => id !== undefined);

/**
 * Puts the results of tools directly behind the message that called them. What somebody said meanwhile comes after them:
 * the model heard of it when the results were there.
 */
export function resultsBehindCalls(turns: readonly RecordedMessage[]): RecordedMessage[] {
  const callers = new Map<string, RecordedMessage>();
  const resultsOf = new Map<RecordedMessage, RecordedMessage[]>();
  const ordered: RecordedMessage[] = [];
  for (const turn of turns) {
    const { role, tool_call_id } = turn.message;
    const caller = role === "tool" && tool_call_id ? callers.get(tool_call_id) : undefined;
    if (caller !== undefined) resultsOf.get(caller)!.push(turn);
    else ordered.push(turn);
    for (const id of idsOf(turn.message)) callers.set(id, turn);
    if (!resultsOf.has(turn)) resultsOf.set(turn, []);
  }
  return ordered.flatMap((turn) => [turn, ...resultsOf.get(turn)!]);
}

/** What a program around the model told it: neither the user's word nor the model's, and no system prompt. */
export const toldBy = (program: string, content: unknown, extras: LogEvent = {}): ChatMessage => ({
  ...extras,
  role: "system",
  name: program,
  content: plainContent(content) as string,
});

/** The name of a count of things, as in `1 line` and `2 lines`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
