import { isObject } from "../../traces/clean-text.ts";
import { readMessages } from "../chat/read-messages.ts";
import type { ToolDefinition } from "../chat/tool-definitions.ts";
import { usageIn } from "./benchmark-fields.ts";
import { objectIn } from "./fields.ts";
import type { ReadingContext, RecordedConversation, RecordedMessage } from "./format.ts";

export type Event = Record<string, unknown>;

/** A message on its way, and the event that it came from. */
export interface Turn {
  message: Event;
  time?: unknown;
  usage?: unknown;
}

/** What the events of one conversation come to. */
export interface Turns {
  turns: Turn[];
  /** Events that are no part of what was said, such as changes of state. */
  beside: Event[];
  tools?: ToolDefinition[] | undefined;
  model?: string | undefined;
  end: Pick<RecordedConversation, "status" | "error">;
  cost?: number | undefined;
}

export const textIn = (value: unknown): string => (typeof value === "string" ? value : "");

/** Fields in which an event repeats what is said in it. */
const REPEATING = new Set(["message", "thought", "content", "final_thought"]);

/** The fields of an event that say more than is said already. */
export const unsaid = (event: Event, said: string): Event =>
  Object.fromEntries(
    Object.entries(event).filter(([name, value]) => {
      if (value === null || value === undefined) return false;
      return !(REPEATING.has(name) && typeof value === "string" && said.includes(value));
    }),
  );

/**
 * Nothing answers the call that ends a task. Where the conversation goes on after it, the call is kept under another
 * name, as the tool's agent shows it to its model: what it said is what counts.
 */
export function closeFinished(turns: readonly Turn[], isEnd: (turn: Turn) => boolean): void {
  for (const turn of turns.slice(0, -1)) {
    const { message } = turn;
    if (!isEnd(turn) || message.tool_calls === undefined) continue;
    const [call] = callsIn(turn);
    const said = objectIn(objectIn(call?.function)?.arguments)?.message;
    if (textIn(message.content) === "" && textIn(said) !== "") message.content = said;
    message.finished_by = message.tool_calls;
    delete message.tool_calls;
  }
}

const listed = (values: unknown): Event[] => (Array.isArray(values) ? values.filter(isObject) : []);

/** The calls of a message that some result answers. */
export const answeredIn = (turns: readonly Turn[]): Set<unknown> =>
  new Set(turns.filter(({ message }) => message.role === "tool").map(({ message }) => message.tool_call_id));

export const callsIn = (turn: Turn | undefined): Event[] => listed(turn?.message.tool_calls);

/** Messages of the turns; one that cannot be read is set aside with the events that say nothing. */
export function recordedMessages(found: Turns, { timeOf, note }: ReadingContext): RecordedMessage[] {
  return found.turns.flatMap(({ message, time, usage }): RecordedMessage[] => {
    const read = readMessages([message]);
    if (typeof read === "string") {
      note("a message of an event cannot be read: it is kept with the metadata");
      found.beside.push(message);
      return [];
    }
    const at = timeOf(time, "timestamp");
    return read.map((each, index) => ({
      message: each,
      at,
      ...(index === 0 && { usage: usageIn(usage) }),
    }));
  });
}
