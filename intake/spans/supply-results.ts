import { resultContent } from "../chat/content.ts";
import type { ChatMessage, ChatToolCall } from "../chat/message.ts";
import type { RecordedMessage } from "../formats/format.ts";
import { parsedText } from "./said.ts";
import type { Work } from "./work.ts";

const canonical = (value: unknown): string => JSON.stringify(parsedText(value) ?? {});

const nameOf = ({ function: called, custom }: ChatToolCall): string | undefined =>
  called?.name ?? custom?.name;

/** Runs of tools, each for one call: by its id, else by its name and arguments, else by its name. */
class ToolRuns {
  readonly #left: Set<Work>;
  readonly #byId: Map<string, Work[]>;
  readonly #arguments = new Map<Work, string>();

  constructor(tools: readonly Work[]) {
    this.#left = new Set(tools);
    const named = tools.filter(({ tool }) => tool?.id !== undefined);
    this.#byId = Map.groupBy(named, ({ tool }) => tool!.id!);
  }

  take(call: ChatToolCall): Work | undefined {
    const found = this.#found(call);
    if (found !== undefined) this.#left.delete(found);
    return found;
  }

  #found(call: ChatToolCall): Work | undefined {
    const named = this.#byId.get(call.id ?? "")?.find((run) => this.#left.has(run));
    if (call.id !== undefined && named !== undefined) return named;
    const wanted = canonical(call.function?.arguments);
    let first: Work | undefined;
    for (const run of this.#left) {
      // A run that names another call is not this one's.
      if (run.tool?.name !== nameOf(call) || (run.tool?.id !== undefined && call.id !== undefined)) continue;
      if (this.#argumentsOf(run) === wanted) return run;
      first ??= run;
    }
    return first;
  }

  #argumentsOf(run: Work): string {
    const known = this.#arguments.get(run) ?? canonical(run.tool?.arguments);
    this.#arguments.set(run, known);
    return known;
  }
}

function resultOf(call: ChatToolCall, { tool, error }: Work): ChatMessage | undefined {
  const result = tool?.result ?? error;
  if (result === undefined || result === null) return undefined;
  const name = nameOf(call);
  return {
    role: "tool",
    ...(call.id !== undefined && { tool_call_id: call.id }),
    ...(name !== undefined && { name }),
    content: resultContent(resultIn(result)),
  };
}

/** What the message of a tool says that was recorded as such. */
function resultIn(result: unknown): unknown {
  const given = parsedText(result);
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
  const { type, role, kwargs, content, tool_call_id } = given as Record<string, unknown>;
  const fields = (type === "constructor" ? kwargs : undefined) as Record<string, unknown> | undefined;
  if (fields?.content !== undefined) return fields.content;
  return (type === "tool" || role === "tool" || tool_call_id !== undefined) && content !== undefined
    ? content
    : result;
}

/**
 * Adds the results of tools that no call of the model tells of, and when those that are told came.
 *
 * @param tools the runs of tools in the order in which they began
 */
export function withResults(messages: readonly RecordedMessage[], tools: readonly Work[]): RecordedMessage[] {
  const runs = new ToolRuns(tools);
  const all: RecordedMessage[] = [];
  for (let index = 0; index < messages.length; ) {
    const { message } = messages[index]!;
    const isFirst = isResult(message);
    const from = isFirst ? index : index + 1;
    let until = from;
    while (until < messages.length && isResult(messages[until]!.message)) until += 1;
    if (!isFirst) all.push(messages[index]!);
    const calls = message.role === "assistant" ? (message.tool_calls ?? []) : [];
    for (const each of answersTo(calls, messages.slice(from, until), runs)) all.push(each);
    index = until;
  }
  return all;
}

const isResult = ({ role }: ChatMessage): boolean => role === "tool" || role === "function";

function answersTo(
  calls: readonly ChatToolCall[],
  results: readonly RecordedMessage[],
  runs: ToolRuns,
): RecordedMessage[] {
  const left = new Set(results);
  const missing: RecordedMessage[] = [];
  const answered = new Map<RecordedMessage, RecordedMessage>();
  for (const call of calls) {
    const run = runs.take(call);
    const found = [...left].find(({ message }) => isAnswer(message, call));
    if (found !== undefined) left.delete(found);
    if (run === undefined) continue;
    if (found !== undefined) answered.set(found, { ...found, at: run.end ?? found.at });
    else {
      const message = resultOf(call, run);
      if (message !== undefined) missing.push({ message, at: run.end });
    }
  }
  return [...results.map((result) => answered.get(result) ?? result), ...missing];
}

const isAnswer = ({ tool_call_id, name }: ChatMessage, call: ChatToolCall): boolean =>
  tool_call_id && call.id ? tool_call_id === call.id : !name || name === nameOf(call);
