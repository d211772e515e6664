import type { ChatMessage, ModelReply, ToolCall } from "./model-client.ts";

/** How providers say that an answer ended before the model was done: at a limit, or by a filter. */
const CUT_OFF =
  /^(length|max_(output_|completion_)?tokens|model_length|model_context_window_exceeded|content_filter|refusal|safety|incomplete)$/i;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Why a text is no arguments of a call; some models write nothing where a tool takes none. */
function unreadable(text: string): string | undefined {
  if (text.trim() === "") return undefined;
  try {
    return isObject(JSON.parse(text)) ? undefined : "the arguments are not a JSON object";
  } catch {
    return "the arguments are not JSON, or not all of them";
  }
}

/** Whether the arguments of a call, as a message has it, are there to their end. */
export function isWhole(call: Record<string, unknown>): boolean {
  const body = call["function"];
  if (!isObject(body)) return false;
  const { arguments: given } = body;
  return isObject(given) || (typeof given === "string" && given.trim() !== "" && !unreadable(given));
}

/** Calls are the last of what a model says, except where a provider tells the order of all of it. */
function endsInCall({ blocks }: ChatMessage): boolean {
  if (!Array.isArray(blocks)) return true;
  return (blocks.at(-1) as { type?: unknown } | undefined)?.type === "tool_use";
}

function problemOf(call: ToolCall, cutOff: string | undefined): string | undefined {
  if (call.error !== undefined) return call.error;
  if (cutOff !== undefined) return cutOff;
  return call.custom === true ? undefined : unreadable(call.arguments);
}

function marked(reply: ModelReply, cutOff: string | undefined): ModelReply {
  const { toolCalls, message } = reply;
  const last = endsInCall(message) ? toolCalls.length - 1 : -1;
  const problems = toolCalls.map((call, at) => problemOf(call, at === last ? cutOff : undefined));
  if (problems.every((problem) => problem === undefined)) return reply;
  const told = <T>(call: T, at: number): T =>
    problems[at] === undefined ? call : { ...call, error: problems[at] };
  const written: unknown = message.tool_calls;
  return {
    ...reply,
    toolCalls: toolCalls.map(told),
    message: { ...message, ...(Array.isArray(written) ? { tool_calls: written.map(told) } : {}) },
  };
}

/**
 * The reply with an error in each call that must not be executed: its arguments cannot be read, or the answer was cut
 * off in it. What came of them stays as it is.
 *
 * @example
 * withCallProblems(reply).toolCalls[0]?.error; // "the answer was cut off (max_tokens), and this call with it"
 */
export function withCallProblems(reply: ModelReply): ModelReply {
  const { finishReason } = reply;
  const isCut = finishReason !== undefined && CUT_OFF.test(finishReason);
  return marked(reply, isCut ? `the answer was cut off (${finishReason}), and this call with it` : undefined);
}

/** The same for what came of a stream before it ended, or before its reader left. */
export function withHalfCall(reply: ModelReply): ModelReply {
  const { arguments: text = "", custom } = reply.toolCalls.at(-1) ?? {};
  const isPart = custom !== true && unreadable(text) !== undefined;
  return marked(
    reply,
    isPart ? undefined : "the answer was not read to its end, and this call may have more",
  );
}

/** What was wrong with the calls of an answer, in one sentence; undefined where nothing was. */
export function callProblems({ toolCalls }: ModelReply): string | undefined {
  const wrong = toolCalls.filter(({ error }) => error !== undefined);
  if (wrong.length === 0) return undefined;
  return wrong.map(({ name, error }) => `the call of ${name} is no good: ${error}`).join("; ");
}

/** Messages as a provider takes them: what was wrong with a call is ours. */
export const withoutCallProblems = (messages: readonly ChatMessage[]): readonly ChatMessage[] =>
  messages.map((message) => {
    const calls: unknown = message.tool_calls;
    if (message.role !== "assistant" || !Array.isArray(calls)) return message;
    if (!calls.some((call) => isObject(call) && "error" in call)) return message;
    return { ...message, tool_calls: calls.map(withoutError) };
  });

function withoutError(call: unknown): unknown {
  if (!isObject(call)) return call;
  const { error: _, ...rest } = call;
  return rest;
}
