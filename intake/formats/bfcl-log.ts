import { isObject } from "../../traces/clean-text.ts";
import { argumentsText } from "../chat/tool-call.ts";
import { type ToolDefinition, toolDefinitions } from "../chat/tool-definitions.ts";
import { isListOfCalls } from "./bfcl-result.ts";

type Entry = Record<string, unknown>;

/** A message on its way; an answer knows its turn and step. */
export interface LoggedMessage {
  message: Entry;
  turn?: number;
  step?: number;
}

/** What a log of an inference tells. */
export interface Logged {
  messages: LoggedMessage[];
  /** What the model gave, in order. */
  answers: unknown[];
  /** The state of the environment, where it was logged. */
  states: unknown[];
  tools?: ToolDefinition[] | undefined;
  /** Why the run was ended from outside. */
  stopped?: string | undefined;
}

/** What a model gave: its words, or its calls as `{name: arguments}`; calls get ids that their results can name. */
export function answerOf(given: unknown, place: string): Entry {
  if (!isListOfCalls(given))
    return { role: "assistant", content: typeof given === "string" ? given : JSON.stringify(given) };
  const tool_calls = given.flatMap(Object.entries).map(([name, args], index) => ({
    id: `call-${place}-${index}`,
    type: "function",
    function: { name, arguments: argumentsText(args) },
  }));
  return { role: "assistant", content: null, tool_calls };
}

class LogReader {
  readonly found: Logged = { messages: [], answers: [], states: [] };
  #turn = -1;

  add(item: unknown): void {
    if (!isObject(item)) {
      this.found.states.push(item);
      return;
    }
    const { begin_of_turn_query: asked, ...rest } = item;
    this.#turn += 1;
    for (const message of this.#objectsIn(asked ?? [])) this.found.messages.push({ message });
    const others: Entry = {};
    for (const [name, entries] of Object.entries(rest)) {
      const step = /^step_(\d+)$/.exec(name);
      if (step !== null && Array.isArray(entries)) this.#step(this.#objectsIn(entries), Number(step[1]));
      else others[name] = entries;
    }
    if (Object.keys(others).length > 0) this.found.states.push(others);
  }

  /** Those of the entries that are objects; the others are set aside. */
  #objectsIn(entries: unknown): Entry[] {
    const listed: unknown[] = Array.isArray(entries) ? entries : [entries];
    for (const each of listed.filter((entry) => !isObject(entry))) this.found.states.push(each);
    return listed.filter(isObject);
  }

  #step(entries: readonly Entry[], step: number): void {
    let open: string[] = [];
    let answer: Entry | undefined;
    const before: Entry[] = [];
    for (const { role, content, ...rest } of entries) {
      if (role === "assistant") {
        this.found.answers.push(content);
        answer = { ...answerOf(content, `${this.#turn}-${step}`), ...rest };
        if (before.length > 0) answer.inference_input = before;
        open = ((answer.tool_calls ?? []) as { id: string }[]).map(({ id }) => id);
        this.found.messages.push({ message: answer, turn: this.#turn, step });
      } else if (role === "tool") {
        // A model that writes its calls as text is shown the results as text.
        const id = open.shift();
        const to =
          id === undefined ? { role: "user", recorded_role: "tool" } : { role: "tool", tool_call_id: id };
        this.found.messages.push({ message: { ...to, content, ...rest } });
      } else this.#beside({ role, content, ...rest }, answer, before);
    }
    if (answer === undefined) for (const each of before) this.found.states.push(each);
  }

  #beside(entry: Entry, answer: Entry | undefined, before: Entry[]): void {
    const { role, content } = entry;
    if (role === "inference_input" && isObject(content)) this.found.tools ??= toolDefinitions(content.tools);
    if (role === "handler_log" && typeof content === "string" && content.includes("forced to quit"))
      this.found.stopped = content;
    if (answer === undefined) before.push(entry);
    else answer.log = [...((answer.log as unknown[] | undefined) ?? []), entry];
  }
}

/** Reads a log of an inference: its turns, each with what was asked and the steps that the model took. */
export function readLog(log: readonly unknown[]): Logged {
  const reader = new LogReader();
  for (const item of log) reader.add(item);
  return reader.found;
}
