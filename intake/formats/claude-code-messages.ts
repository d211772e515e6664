import { isObject } from "../../traces/clean-text.ts";
import { readMessages } from "../chat/read-messages.ts";
import {
  type LogEvent,
  plainContent,
  restOf,
  resultsBehindCalls,
  type SharedFields,
  toldBy,
} from "./agent-log.ts";
import {
  answerOf,
  isFromProgram,
  isMessageEvent,
  isPrompt,
  type Queued,
  queuedIn,
  steeringIn,
  textIn,
} from "./claude-code-events.ts";
import { numberIn } from "./fields.ts";
import type { ReadingContext, RecordedMessage, RecordedUsage } from "./format.ts";

/** Under which name the model is told what is neither the user's word nor its own. */
const PROGRAM = "claude-code";

/** What the events of a conversation come to. */
export interface SpokenEvents {
  messages: RecordedMessage[];
  /** Events that hold no message, or none that can be read. */
  events: LogEvent[];
}

/** One answer of the model, of as many lines as it was written in. */
interface Answer {
  kind: "answer";
  lines: LogEvent[];
}

const sum = (...values: unknown[]): number | undefined => {
  const known = values.map(numberIn).filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
};

/** Anthropic counts what was cached beside the other tokens of the prompt. */
function usageOf(usage: unknown): RecordedUsage | undefined {
  if (!isObject(usage)) return undefined;
  const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens } = usage;
  const prompt = sum(input_tokens, cache_creation_input_tokens, cache_read_input_tokens);
  const completion = numberIn(output_tokens);
  if (prompt === undefined && completion === undefined) return undefined;
  return { prompt, completion, cached: numberIn(cache_read_input_tokens) };
}

/** Puts the lines of one answer together; the model counts its tokens up from line to line. */
function groupAnswers(events: readonly LogEvent[]): (LogEvent | Answer)[] {
  const answers = new Map<string, Answer>();
  const groups: (LogEvent | Answer)[] = [];
  for (const event of events) {
    if (event.type !== "assistant" || !isMessageEvent(event) || isFromProgram(event)) {
      groups.push(event);
      if (isPrompt(event)) answers.clear();
      continue;
    }
    const id = answerOf(event);
    const begun = id === undefined ? undefined : answers.get(id);
    if (begun !== undefined) {
      begun.lines.push(event);
      continue;
    }
    const answer: Answer = { kind: "answer", lines: [event] };
    if (id !== undefined) answers.set(id, answer);
    groups.push(answer);
  }
  return groups;
}

const isAnswer = (group: LogEvent | Answer): group is Answer => group.kind === "answer" && "lines" in group;

const contentOf = ({ message }: LogEvent): unknown[] => {
  const content = isObject(message) ? message.content : undefined;
  return Array.isArray(content) ? (content as unknown[]) : [{ type: "text", text: content }];
};

/** What an event's message is, without the type that says no more than that it is one. */
function saidIn({ message }: LogEvent): LogEvent {
  const { type, ...rest } = message as LogEvent;
  return type === "message" || type === undefined ? rest : { ...rest, message_type: type };
}

/** The fields of a message in which a later line of the same answer differs. */
const differing = (earlier: LogEvent, later: LogEvent): LogEvent =>
  Object.fromEntries(
    Object.entries(earlier).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(later[name])),
  );

/** Reads the events of one conversation as messages. */
export class MessageReader {
  readonly #shared: SharedFields;
  readonly #context: ReadingContext;
  readonly #events: LogEvent[] = [];

  constructor(shared: SharedFields, context: ReadingContext) {
    this.#shared = shared;
    this.#context = context;
  }

  read(events: readonly LogEvent[]): SpokenEvents {
    const texts = new Set(events.flatMap((event) => [textIn(event), queuedIn(event)?.prompt]));
    const messages = groupAnswers(events).flatMap((group): RecordedMessage[] => {
      if (isAnswer(group)) return this.#answer(group.lines);
      if (isMessageEvent(group)) return this.#said(group);
      if (group.type === "user" || group.type === "assistant") return this.#unreadable(group, "no content");
      const queued = queuedIn(group) ?? steeringIn(group, texts);
      return queued === undefined ? this.#unspoken(group) : this.#queued(group, queued);
    });
    return { messages: resultsBehindCalls(messages), events: this.#events };
  }

  #unspoken(event: LogEvent): RecordedMessage[] {
    const own = this.#shared.without(event);
    this.#events.push(own);
    return [];
  }

  /** When an event happened; and what it says besides its message. */
  #outside(event: LogEvent): Pick<RecordedMessage, "at"> & { event: LogEvent | undefined } {
    const at = this.#context.timeOf(event.timestamp, "timestamp");
    const taken = at === undefined ? [] : ["timestamp"];
    return { at, event: restOf(this.#shared.without(event), "message", "type", ...taken) };
  }

  #answer(lines: readonly LogEvent[]): RecordedMessage[] {
    const last = lines.at(-1)!;
    const parts = new Map<string, unknown>();
    for (const part of lines.flatMap(contentOf)) parts.set(JSON.stringify(part), part);
    const message = saidIn(last);
    const said = { role: "assistant", ...message, content: plainContent([...parts.values()]) };
    const read = readMessages([restOf(said) ?? said]);
    if (typeof read === "string") return lines.flatMap((line) => this.#unreadable(line, read));
    const outsides = lines.map((line) => {
      const outside = this.#outside(line);
      const earlier = restOf(differing(saidIn(line), message), "content");
      return earlier === undefined ? outside : { ...outside, event: { ...outside.event, message: earlier } };
    });
    const events = outsides.map(({ event }) => event).filter((event) => event !== undefined);
    const usage = usageOf(message.usage);
    const cost = sum(...lines.map(({ costUSD }) => costUSD));
    const { at } = outsides[0]!;
    const beside = events.length === 0 ? {} : events.length === 1 ? { event: events[0] } : { events };
    const own = read.findIndex(({ role }) => role === "assistant");
    return read.map((each, index) =>
      index === own ? { message: { ...each, ...beside }, at, usage, cost } : { message: each, at },
    );
  }

  #said(event: LogEvent): RecordedMessage[] {
    const { at, event: beside } = this.#outside(event);
    const message = saidIn(event);
    const kept = beside === undefined ? {} : { event: beside };
    if (event.type === "assistant") {
      const told = { ...restOf(message, "role", "content"), ...kept };
      return [{ message: toldBy(PROGRAM, message.content, told), at }];
    }
    const read = readMessages([{ role: "user", ...message, content: plainContent(message.content) }]);
    if (typeof read === "string") return this.#unreadable(event, read);
    const isTold = isFromProgram(event);
    return read.map((each, index) => {
      const { content, ...others } = each;
      const told = isTold && each.role === "user" ? toldBy(PROGRAM, content ?? "", others) : each;
      return { message: index === 0 ? { ...told, ...kept } : told, at };
    });
  }

  #queued(event: LogEvent, { prompt, isTyped }: Queued): RecordedMessage[] {
    const { at } = this.#outside(event);
    const { attachment } = event;
    const own = isObject(attachment) ? { ...event, attachment: restOf(attachment, "prompt") } : event;
    const taken = at === undefined ? [] : ["timestamp"];
    const kept = restOf(this.#shared.without(own), "message", "content", ...taken);
    const read = readMessages([{ role: "user", content: plainContent(prompt) }]);
    if (typeof read === "string") return this.#unreadable(event, read);
    return read.map((said) => {
      const message = isTyped ? said : toldBy(PROGRAM, said.content);
      return { message: { ...message, ...(kept && { event: kept }) }, at };
    });
  }

  #unreadable(event: LogEvent, reason: string): RecordedMessage[] {
    this.#context.note(
      `a message cannot be read (${reason.replace(/^\[0\][ .]/, "")}): it is kept with the metadata`,
    );
    return this.#unspoken(event);
  }
}
