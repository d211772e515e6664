import type { Micros } from "../../schemas/generated/events.ts";
import { isObject } from "../../traces/clean-text.ts";
import { type ToolDefinition, toolDefinitions } from "../chat/tool-definitions.ts";
import { listIn, numberIn, textIn } from "./fields.ts";
import type { ReadingContext, RecordedMessage, RecordedUsage } from "./format.ts";
import type { Attachments } from "./inspect-attachments.ts";

/** Kinds of events that repeat the messages, the sample, or the state in between. */
const REPEATING = new Set([
  "model",
  "tool",
  "state",
  "store",
  "sample_init",
  "step",
  "span_begin",
  "span_end",
]);

const TOLD =
  "events of models, tools, states and spans are left out, as they repeat the messages: times, usage and tools are taken from them";

/** What a call of a model took, by Inspect's names. */
export function inspectUsage(value: unknown): Pick<RecordedMessage, "usage" | "cost"> {
  if (!isObject(value)) return {};
  const usage: RecordedUsage = {
    prompt: numberIn(value.input_tokens),
    completion: numberIn(value.output_tokens),
    total: numberIn(value.total_tokens),
    reasoning: numberIn(value.reasoning_tokens),
    cached: numberIn(value.input_tokens_cache_read),
  };
  const cost = numberIn(value.total_cost);
  const isCounted = [usage.prompt, usage.completion, usage.total].some((count) => count !== undefined);
  return { ...(isCounted && { usage }), ...(cost !== undefined && { cost }) };
}

/** What a message is known by: its id, or in logs without ids what it says. */
export function messageKey(message: unknown): string | undefined {
  if (!isObject(message)) return undefined;
  return textIn(message.id) ?? JSON.stringify([message.content, message.tool_calls ?? null]);
}

type Answer = Pick<RecordedMessage, "at" | "usage" | "cost">;

/** What the events of a sample say of its messages. */
export class SampleEvents {
  startedAt: Micros | undefined;
  endedAt: Micros | undefined;
  /** The limit that a sample of the first logs was stopped at. */
  limit: Record<string, unknown> | undefined;
  /** Events that say more than the messages do. */
  readonly kept: unknown[] = [];
  readonly #context: ReadingContext;
  readonly #attachments: Attachments;
  readonly #answers = new Map<string, Answer>();
  readonly #results = new Map<string, Micros>();
  readonly #tools: { by: string | undefined; tools: unknown }[] = [];

  constructor(events: readonly unknown[], attachments: Attachments, context: ReadingContext) {
    this.#context = context;
    this.#attachments = attachments;
    for (const event of events) this.#add(event);
    if (this.kept.length < events.length) context.note(TOLD);
  }

  /** When a message was said, and what it took. */
  of(message: Record<string, unknown>): Answer {
    if (message.role === "tool") return { at: this.#results.get(textIn(message.tool_call_id) ?? "") };
    if (message.role !== "assistant") return {};
    return this.#answers.get(messageKey(message) ?? "") ?? {};
  }

  /** The tools that the agent could call: those of a judge or of another agent are not its own. */
  toolsFor(messages: readonly unknown[]): ToolDefinition[] | undefined {
    const said = new Set(messages.map(messageKey));
    const own = this.#tools.filter(({ by }) => by !== undefined && said.has(by));
    const found = new Map<string, ToolDefinition>();
    for (const { tools } of own.length > 0 ? own : this.#tools)
      for (const tool of toolDefinitions(this.#attachments.resolve(tools)) ?? [])
        found.set(tool.function?.name ?? JSON.stringify(tool), tool);
    return found.size === 0 ? undefined : [...found.values()];
  }

  #add(value: unknown, isInner = false): void {
    if (!isObject(value)) {
      if (!isInner) this.kept.push(value);
      return;
    }
    const kind = textIn(value.event) ?? "";
    const at = this.#context.timeOf(value.timestamp, "an event's timestamp");
    const end = this.#context.timeOf(value.completed, "an event's completed") ?? at;
    if (at !== undefined) this.startedAt = Math.min(this.startedAt ?? at, at);
    if (end !== undefined) this.endedAt = Math.max(this.endedAt ?? end, end);
    if (kind === "model") this.#addAnswer(value, end);
    if (kind === "tool" && end !== undefined) this.#results.set(textIn(value.id) ?? "", end);
    if (kind === "sample_limit") this.limit = value;
    const { events, ...rest } = value;
    for (const inner of listIn(events) ?? []) this.#add(inner, true);
    const isRepeated = REPEATING.has(kind) || (kind === "score" && value.intermediate !== true);
    if (!isInner && !isRepeated) this.kept.push(this.#attachments.resolve(rest));
  }

  #addAnswer({ output, tools }: Record<string, unknown>, at: Micros | undefined): void {
    const { choices, usage } = isObject(output) ? output : {};
    const [choice] = listIn(choices) ?? [];
    const by = isObject(choice) ? messageKey(this.#attachments.resolve(choice.message)) : undefined;
    if (by !== undefined) this.#answers.set(by, { at, ...inspectUsage(usage) });
    this.#tools.push({ by, tools });
  }
}
