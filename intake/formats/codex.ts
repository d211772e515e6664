import { isObject } from "../../traces/clean-text.ts";
import { counted, type LogEvent, restOf, resultsBehindCalls, textOr } from "./agent-log.ts";
import {
  type CodexLine,
  isCodex,
  isFromProgram,
  itemFrom,
  itemText,
  linesOf,
  toldIn,
} from "./codex-lines.ts";
import { CodexTurns, instructionsIn, usageOf } from "./codex-turns.ts";
import { numberIn, present } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedUsage } from "./format.ts";

/** What the items of a rollout say already: events repeat it. */
class Told {
  readonly #texts = new Set<string>();
  readonly #kinds = new Set<string>();

  constructor(lines: readonly CodexLine[]) {
    for (const { kind, payload } of lines) {
      if (kind !== "response_item") continue;
      const text = itemText(payload);
      if (payload.type === "message" && !isFromProgram(payload)) this.#kinds.add(`${payload.role}`);
      if (payload.type === "reasoning") this.#kinds.add("reasoning");
      this.#texts.add(text.trim());
      const { summary } = payload;
      for (const part of Array.isArray(summary) ? (summary as unknown[]) : [])
        if (isObject(part)) this.#texts.add(textOr(part.text, "").trim());
    }
  }

  has(text: string): boolean {
    return this.#texts.has(text.trim());
  }

  /** Whether no item is of the kind that an event tells of. */
  lacks({ type, role }: LogEvent): boolean {
    return !this.#kinds.has(type === "reasoning" ? "reasoning" : `${role}`);
  }
}

/** Reads a rollout line by line. */
class RolloutReader {
  readonly turns = new CodexTurns();
  readonly #context: ReadingContext;
  readonly #told: Told;
  readonly #kept: Record<string, unknown[]> = {};
  readonly #contexts = new Set<string>();
  #isBegun = false;
  #session: LogEvent = {};
  #id: string | undefined;
  #model: string | undefined;
  #total: unknown;
  #end: Pick<RecordedConversation, "status" | "error"> = {};

  constructor(lines: readonly CodexLine[], context: ReadingContext) {
    this.#context = context;
    this.#told = new Told(lines);
    for (const line of lines) this.#read(line);
  }

  /** Keeps something with the metadata; what the agent worked in is repeated with each turn. */
  #keep(name: string, value: LogEvent | undefined): void {
    if (value === undefined) return;
    const list = this.#kept[name] ?? [];
    this.#kept[name] = list;
    const written = name === "turn_contexts" ? JSON.stringify(value) : undefined;
    if (written !== undefined && this.#contexts.has(written)) return;
    if (written !== undefined) this.#contexts.add(written);
    list.push(value);
  }

  #read({ kind, payload, timestamp, rest }: CodexLine): void {
    const at = this.#context.timeOf(timestamp, "timestamp");
    const line = { ...(at === undefined && timestamp !== undefined && { timestamp }), ...rest };
    switch (kind) {
      case "session_meta":
        this.#begin(payload, at, line);
        break;
      case "response_item":
        this.#item(payload, at, { ...line, timestamp });
        this.#keep("lines", restOf(line));
        break;
      case "turn_context":
        this.#model ??= textOr(payload.model, undefined);
        this.#keep("turn_contexts", restOf({ ...line, ...payload }));
        break;
      case "compacted": {
        const { message, ...others } = payload;
        if (textOr(message, "") !== "") this.turns.tell(message, at, { compacted: true });
        this.#keep("compactions", restOf({ ...line, ...others }));
        break;
      }
      case "event_msg":
        this.#event(payload, at, { ...line, timestamp });
        break;
      default:
        this.#keep("other_lines", restOf({ ...line, kind, timestamp, ...payload }));
    }
  }

  #item(payload: LogEvent, at: number | undefined, line: LogEvent): void {
    if (!this.turns.add(payload, at)) this.#keep("items", { ...line, ...payload });
    else if (!isFromProgram(payload)) this.#end = {};
  }

  #begin(payload: LogEvent, at: number | undefined, line: LogEvent): void {
    if (this.#isBegun) {
      this.#keep("other_sessions", { ...line, ...payload });
      return;
    }
    this.#isBegun = true;
    this.#id = textOr(payload.id, undefined);
    const { base_instructions } = payload;
    const beside = isObject(base_instructions) ? restOf(base_instructions, "text") : undefined;
    const taken = ["id", "instructions", ...(beside === undefined ? ["base_instructions"] : [])];
    this.#session = { ...restOf(payload, ...taken), ...(beside && { base_instructions: beside }), ...line };
    const instructions = instructionsIn(payload);
    if (instructions !== undefined) this.turns.instruct(instructions, at);
  }

  #event(event: LogEvent, at: number | undefined, line: LogEvent): void {
    const told = toldIn(event);
    const item = itemFrom(event);
    if (told !== undefined && item !== undefined) {
      const isNew = this.#told.lacks(item);
      if (isNew) {
        this.turns.add(item, at);
        this.#end = {};
      }
      if (isNew || this.#told.has(told.text)) {
        const beside = restOf(event, "type", "kind", told.field);
        this.#keep("events", beside && { ...line, type: event.type, ...beside });
        return;
      }
    }
    if (event.type === "token_count") this.#count(event);
    if (event.type === "turn_aborted") this.#end = { status: "cancelled" };
    if (event.type === "error") this.#end = { status: "failed", error: textOr(event.message, undefined) };
    if (event.type === "thread_rolled_back") this.#rollBack(numberIn(event.num_turns) ?? 0);
    this.#keep("events", { ...line, ...event });
  }

  #rollBack(times: number): void {
    const left = this.turns.rollBack(times);
    if (left.length === 0) return;
    for (const { message } of left) this.#keep("rolled_back", message);
    this.#context.note(`${counted(left.length, "message")} that the user took back: kept with the metadata`);
  }

  #count({ info }: LogEvent): void {
    if (!isObject(info)) return;
    const usage = usageOf(info.last_token_usage);
    // The same count is written again with news of limits.
    const total = JSON.stringify(info.total_token_usage ?? info.last_token_usage);
    if (usage !== undefined && total !== JSON.stringify(this.#total)) this.turns.count(usage);
    this.#total = info.total_token_usage ?? info.last_token_usage;
  }

  conversation(unread: unknown[]): RecordedConversation {
    const messages = resultsBehindCalls(this.turns.turns);
    const { source } = this.#session;
    const isSubAgent = isObject(source) && source.subagent !== undefined;
    const usage: RecordedUsage | undefined = usageOf(this.#total);
    return {
      content: { session: this.#id, messages: messages.map(({ message }) => message) },
      messages,
      id: this.#id,
      agent: "codex",
      ...(isSubAgent && { tags: ["sub-agent"] }),
      ...this.#end,
      usage,
      metadata: present({
        ...this.#session,
        model: this.#model,
        ...this.#kept,
        unread: unread.length === 0 ? undefined : unread,
      }),
    };
  }
}

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const { lines, unread } = linesOf(values);
  const reader = new RolloutReader(lines, context);
  const isSaid = reader.turns.turns.some(({ message }) => message.role !== "system");
  if (!isSaid) return `no message of a user or of Codex is in it; found ${counted(lines.length, "line")}`;
  if (unread.length > 0)
    context.note(`${counted(unread.length, "line")} without anything of Codex: kept with the metadata`);
  return [reader.conversation(unread)];
}

/** Rollouts of Codex, as `~/.codex/sessions` holds them, of all versions. */
export const codex: Format = {
  name: "codex",
  translation: 1,
  about: "sessions of Codex (~/.codex/sessions)",
  masked: true,
  recognizes: isCodex,
  partOf: () => "file",
  read,
};
