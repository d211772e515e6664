import { isObject } from "../../traces/clean-text.ts";
import type { ChatMessage, ContentPart } from "../chat/message.ts";
import { readMessages } from "../chat/read-messages.ts";
import { roleOf } from "../chat/role-message.ts";
import { argumentsText } from "../chat/tool-call.ts";
import { Fields, listIn, nameIn, numberIn, objectIn, present, textIn } from "./fields.ts";
import type { ReadingContext, RecordedMessage } from "./format.ts";

/** A part of a content as OpenAI's API has it: images are named by their path. */
function partOf(part: unknown): ContentPart {
  if (!isObject(part) || part.type !== "image" || !isObject(part.source)) return part as ContentPart;
  const { type: _, source, ...rest } = part;
  const { path, ...about } = source;
  return typeof path === "string" ? { type: "image_url", image_url: { url: path }, ...rest, ...about } : part;
}

const contentOf = (value: unknown): unknown => (Array.isArray(value) ? value.map(partOf) : (value ?? ""));

function callOf(value: unknown): unknown {
  if (!isObject(value) || typeof value.function_name !== "string") return value;
  const { tool_call_id: id, function_name: name, arguments: given, ...rest } = value;
  return { id, type: "function", function: { name, arguments: argumentsText(given) }, ...rest };
}

/** What the call of the model took; what has no place of its own stays with the message. */
function metricsOf(step: Fields): Pick<RecordedMessage, "usage" | "cost"> & { metrics?: unknown } {
  const metrics = new Fields(step.take("metrics", objectIn) ?? {});
  const extra = new Fields(metrics.take("extra", objectIn) ?? {});
  const usage = present({
    prompt: metrics.take("prompt_tokens", numberIn),
    completion: metrics.take("completion_tokens", numberIn),
    cached: metrics.take("cached_tokens", numberIn),
    reasoning: extra.take("reasoning_tokens", numberIn),
  });
  const cost = metrics.take("cost_usd", numberIn);
  const rest = present({ ...metrics.rest(), extra: extra.rest() });
  return { ...(usage && { usage }), ...(cost !== undefined && { cost }), ...(rest && { metrics: rest }) };
}

interface Result {
  call: string | undefined;
  content: unknown;
  rest: Record<string, unknown>;
}

const resultIn = (value: unknown): Result => {
  const fields = new Fields(isObject(value) ? value : { content: value });
  const call = fields.take("source_call_id", nameIn);
  fields.drop("content");
  return { call, content: fields.record.content, rest: fields.rest() ?? {} };
};

const hasRest = ({ rest }: Result): boolean => Object.keys(rest).length > 0;

/** Several results of one call are one message, since a call has one answer. */
function joined(results: readonly Result[]): Result {
  const [first, ...others] = results as [Result, ...Result[]];
  if (others.length === 0) return first;
  const contents = results.map(({ content }) => content);
  const isText = contents.every((content) => typeof content === "string");
  const parts = contents.flatMap((content) =>
    Array.isArray(content)
      ? (content as unknown[])
      : [{ type: "text", text: textIn(content) ?? JSON.stringify(content ?? "") }],
  );
  return {
    call: first.call,
    content: isText ? contents.join("\n") : parts,
    rest: Object.assign({}, ...results.map(({ rest }) => rest)) as Record<string, unknown>,
  };
}

/**
 * What came of a step. A result of a call is a message of its tool. What answers no call was told the agent by its
 * environment: it is a message of the user, or of the system where that had caused it.
 */
function answersOf(observation: unknown, calls: readonly unknown[], role: string): Record<string, unknown>[] {
  const results = (listIn(isObject(observation) ? observation.results : observation) ?? []).map(resultIn);
  const ids = calls.map((call) => (isObject(call) ? textIn(call.id) : undefined));
  const named = new Set(results.map(({ call }) => call));
  // As many results without a call as there are calls without a result are theirs, in their order.
  const waiting = ids.filter((id) => id !== undefined && !named.has(id));
  const loose = results.filter(({ call }) => call === undefined);
  if (loose.length === waiting.length) for (const [at, result] of loose.entries()) result.call = waiting[at];
  // Nothing that came of nothing is no message.
  const told = results.filter((each) => each.call !== undefined || each.content != null || hasRest(each));
  const grouped = Map.groupBy(told, (result) => (ids.includes(result.call) ? result.call! : result));
  return [...grouped.values()].map((group) => {
    const { call, content, rest } = joined(group);
    const said = contentOf(content);
    if (call === undefined) return { role: role === "system" ? "system" : "user", content: said, ...rest };
    return { role: "tool", tool_call_id: call, content: said, ...rest };
  });
}

/** The messages that a step is, or why it is none. */
export function stepMessages(
  value: unknown,
  where: string,
  context: ReadingContext,
): RecordedMessage[] | string {
  if (!isObject(value)) return `${where} is not an object`;
  const step = new Fields(value);
  const role = roleOf(step.take("source", textIn));
  if (role === undefined) return `${where}.source is none of system, user and agent`;
  const at = step.take("timestamp", (given) => context.timeOf(given, `${where}.timestamp`));
  const calls = step.take("tool_calls", listIn)?.map(callOf) ?? [];
  const { metrics, ...taken } = metricsOf(step);
  step.drop("message");
  const observation = step.take("observation", (given) => (typeof given === "object" ? given : undefined));
  const about = new Fields(isObject(observation) ? observation : {});
  about.drop("results");
  const message = {
    role,
    content: contentOf(value.message),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...step.rest(),
    ...(metrics !== undefined && { metrics }),
    ...(about.rest() && { observation: about.rest() }),
  };
  const own = readMessages([message]);
  if (typeof own === "string") return `${where}${own.replace(/^\[\d+\]/, "")}`;
  const answers = readMessages(answersOf(observation, calls, role));
  if (typeof answers === "string") return `${where}.observation${answers.replace(/^\[\d+\]/, "")}`;
  const messages: ChatMessage[] = [...own, ...answers];
  return messages.map((each, index) => (index === 0 ? { message: each, at, ...taken } : { message: each }));
}
