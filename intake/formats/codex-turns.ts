import { isObject } from "../../traces/clean-text.ts";
import { isResponsesItem, joinTurns, responsesMessages } from "../chat/responses-items.ts";
import { type LogEvent, restOf, textOr, toldBy } from "./agent-log.ts";
import { isFromProgram } from "./codex-lines.ts";
import { numberIn } from "./fields.ts";
import type { RecordedMessage, RecordedUsage } from "./format.ts";

/** Under which name the model is told what is neither the user's word nor its own. */
export const PROGRAM = "codex";

const withoutBlanks = (content: unknown): unknown =>
  Array.isArray(content)
    ? (content as unknown[]).map((part) => (isObject(part) ? (restOf(part) ?? part) : part))
    : content;

/** Items of Codex as items of the Responses API: what a tool was given becomes arguments in JSON. */
function itemOf(item: LogEvent): LogEvent {
  const { type, ...rest } = item;
  if (type === "message") return { ...item, content: withoutBlanks(item.content) };
  if (type === "custom_tool_call") {
    const { input, ...others } = rest;
    return { ...others, type: "function_call", arguments: JSON.stringify({ input }), item: type };
  }
  if (type === "local_shell_call") {
    const { action, call_id, id, ...others } = rest;
    const call = { ...others, type: "function_call", name: "local_shell", call_id: call_id ?? id };
    return { ...call, arguments: JSON.stringify(action ?? {}), item: type, ...(call_id != null && { id }) };
  }
  const isOutput = typeof type === "string" && type.endsWith("_output") && typeof rest.call_id === "string";
  if (!isOutput) return item;
  const { output, call_id, ...others } = rest;
  if (isObject(output) && (typeof output.content === "string" || Array.isArray(output.content))) {
    const { content, ...beside } = output;
    return { type: "function_call_output", call_id, output: withoutBlanks(content), ...beside, ...others };
  }
  if (output !== undefined)
    return { type: "function_call_output", call_id, output: withoutBlanks(output), ...others };
  return { type: "function_call_output", call_id, output: others };
}

/** Tokens as Codex counts them: what was cached and thought is in the sums. */
export function usageOf(value: unknown): RecordedUsage | undefined {
  if (!isObject(value)) return undefined;
  const usage = {
    prompt: numberIn(value.input_tokens),
    completion: numberIn(value.output_tokens),
    total: numberIn(value.total_tokens),
    reasoning: numberIn(value.reasoning_output_tokens),
    cached: numberIn(value.cached_input_tokens),
  };
  return Object.values(usage).every((count) => count === undefined) ? undefined : usage;
}

/** The conversation of a rollout, as it grows line by line. */
export class CodexTurns {
  #turns: RecordedMessage[] = [];

  get turns(): RecordedMessage[] {
    return this.#turns;
  }

  tell(content: unknown, at: RecordedMessage["at"], extras?: LogEvent): void {
    this.#turns.push({ message: toldBy(PROGRAM, content, extras), at });
  }

  instruct(content: string, at: RecordedMessage["at"]): void {
    this.#turns.push({ message: { role: "system", content }, at });
  }

  /** @returns whether the item is a part of the conversation */
  add(given: LogEvent, at: RecordedMessage["at"]): boolean {
    const item = itemOf(given);
    if (!isResponsesItem(item)) return false;
    const read = responsesMessages(item);
    if (typeof read === "string") return false;
    for (const message of read) {
      if (isFromProgram(given)) {
        const { content, role: _, ...extras } = message;
        this.tell(content, at, extras);
        continue;
      }
      const last = this.#turns.at(-1);
      const joined = last === undefined ? [message] : joinTurns([last.message, message]);
      if (last !== undefined && joined.length === 1)
        this.#turns.splice(-1, 1, { ...last, message: joined[0]! });
      else this.#turns.push({ message, at });
    }
    if (given.type === "web_search_call") this.#searched(given, at);
    return true;
  }

  /** What a search found is not in a rollout; how it ended stands where a result would. */
  #searched({ id, call_id, status }: LogEvent, at: RecordedMessage["at"]): void {
    const call = textOr(call_id, textOr(id, undefined));
    const content = JSON.stringify(restOf({ status }) ?? {});
    this.#turns.push({
      message: { role: "tool", ...(call !== undefined && { tool_call_id: call }), content },
      at,
    });
  }

  /** Says what the latest call of the model took. */
  count(usage: RecordedUsage): void {
    const at = this.#turns.findLastIndex(({ message }) => message.role === "assistant");
    const turn = this.#turns[at];
    if (turn === undefined) return;
    const before = turn.usage ?? {};
    const sum = (name: keyof RecordedUsage) =>
      before[name] === undefined && usage[name] === undefined
        ? undefined
        : (before[name] ?? 0) + (usage[name] ?? 0);
    this.#turns[at] = {
      ...turn,
      usage: {
        prompt: sum("prompt"),
        completion: sum("completion"),
        total: sum("total"),
        reasoning: sum("reasoning"),
        cached: sum("cached"),
      },
    };
  }

  /** Takes back what was said since the user spoke the last times. */
  rollBack(times: number): RecordedMessage[] {
    const asked = this.#turns.flatMap(({ message }, index) => (message.role === "user" ? [index] : []));
    const from = times <= 0 ? undefined : asked.at(-Math.min(times, asked.length));
    if (from === undefined) return [];
    const left = this.#turns.slice(from);
    this.#turns = this.#turns.slice(0, from);
    return left;
  }
}

/** What Codex was told to be, by the first line of its rollout. */
export function instructionsIn({ base_instructions, instructions }: LogEvent): string | undefined {
  const base = isObject(base_instructions) ? base_instructions.text : base_instructions;
  const texts = [base, instructions].flatMap((text) => textOr(text, undefined) ?? []);
  return texts.length === 0 ? undefined : texts.join("\n\n");
}
