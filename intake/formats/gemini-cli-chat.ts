import { isObject } from "../../traces/clean-text.ts";
import { splitContent } from "../chat/content.ts";
import { geminiMessages } from "../chat/gemini-content.ts";
import type { ChatMessage, ChatToolCall, ContentPart } from "../chat/message.ts";
import { argumentsText } from "../chat/tool-call.ts";
import { type LogEvent, plainContent, restOf, textOr } from "./agent-log.ts";
import { numberIn } from "./fields.ts";
import type { RecordedMessage, RecordedUsage } from "./format.ts";

const partsOf = (content: unknown): unknown[] =>
  Array.isArray(content)
    ? (content as unknown[])
    : content === undefined || content === null || content === ""
      ? []
      : [typeof content === "string" ? { text: content } : content];

/** Gemini counts thoughts, and what tools put into the prompt, beside the other tokens. */
export function usageOf(tokens: unknown): RecordedUsage | undefined {
  if (!isObject(tokens)) return undefined;
  const { input, output, cached, thoughts, tool, total } = tokens;
  const prompt = numberIn(input);
  const completion = numberIn(output);
  if (prompt === undefined && completion === undefined && numberIn(total) === undefined) return undefined;
  return {
    prompt: prompt === undefined ? undefined : prompt + (numberIn(tool) ?? 0),
    completion: completion === undefined ? undefined : completion + (numberIn(thoughts) ?? 0),
    total: numberIn(total),
    reasoning: numberIn(thoughts),
    cached: numberIn(cached),
  };
}

/** Thoughts as one text; what else they say is kept. */
function thoughtsOf(thoughts: unknown): Pick<ChatMessage, "reasoning_content"> & LogEvent {
  if (typeof thoughts === "string" && thoughts !== "") return { reasoning_content: thoughts };
  if (!Array.isArray(thoughts)) return restOf({ thoughts }) ?? {};
  if (thoughts.length === 0) return {};
  const texts = (thoughts as unknown[]).map((thought) => {
    if (!isObject(thought)) return typeof thought === "string" ? thought : JSON.stringify(thought);
    return [thought.subject, thought.description, thought.text]
      .filter((text) => typeof text === "string" && text !== "")
      .join("\n");
  });
  const rests = (thoughts as unknown[]).map((thought) =>
    isObject(thought) ? (restOf(thought, "subject", "description", "text") ?? {}) : {},
  );
  return {
    reasoning_content: texts.join("\n\n"),
    ...(rests.some((rest) => Object.keys(rest).length > 0) && { thoughts: rests }),
  };
}

/** What a function answered: the text of its output or its error, or what it is as JSON. */
function answerIn(response: unknown): string {
  if (!isObject(response)) return typeof response === "string" ? response : JSON.stringify(response ?? "");
  const [[name, value] = [], ...more] = Object.entries(response);
  const isPlain = more.length === 0 && (name === "output" || name === "error" || name === "result");
  return isPlain && typeof value === "string" ? value : JSON.stringify(response);
}

/** The parts of a result: what functions answered, and what stands beside that. */
function resultContent(
  result: unknown,
  call: LogEvent,
): { content: ChatMessage["content"]; extras: LogEvent } | undefined {
  const parts = partsOf(result);
  if (parts.length === 0) return undefined;
  let extras: LogEvent = {};
  const contents = parts.flatMap((part): ContentPart[] => {
    const answer = isObject(part) ? (part.functionResponse ?? part.function_response) : undefined;
    if (isObject(answer)) {
      const { response, ...rest } = answer;
      const known = ["id", "name"].filter((name) => rest[name] === call[name]);
      const beside = restOf(rest, ...known);
      if (beside !== undefined) extras = { ...extras, functionResponse: beside };
      return [{ type: "text", text: answerIn(response) }];
    }
    if (!isObject(part))
      return [{ type: "text", text: typeof part === "string" ? part : JSON.stringify(part) }];
    const read = geminiMessages({ role: "user", parts: [part] });
    const content = typeof read === "string" ? undefined : read[0]?.content;
    if (typeof content === "string") return [{ type: "text", text: content }];
    return content ?? [part];
  });
  return { content: splitContent(contents).content ?? "", extras };
}

interface Called {
  call: ChatToolCall;
  answer: RecordedMessage | undefined;
}

type TimeOf = (value: unknown) => RecordedMessage["at"];

function calledIn(value: LogEvent, timeOf: TimeOf): Called {
  const { id, name, args, result, resultDisplay, timestamp, ...rest } = value;
  const at = timeOf(timestamp);
  const call: ChatToolCall = {
    ...(typeof id === "string" && { id }),
    type: "function",
    function: { name: textOr(name, ""), arguments: argumentsText(args) },
    ...restOf(at === undefined ? { ...rest, timestamp } : rest),
  };
  const read = resultContent(result, { id, name });
  // Without a result, what the user saw, or why there is none, is all that is known.
  const shown = textOr(resultDisplay, undefined) ?? textOr(rest.error, undefined);
  if (read === undefined && shown === undefined)
    return { call: resultDisplay == null ? call : { ...call, resultDisplay }, answer: undefined };
  const isError = rest.status === "error" || rest.status === "cancelled";
  const message: ChatMessage = {
    role: "tool",
    ...(typeof id === "string" && { tool_call_id: id }),
    ...(typeof name === "string" && { name }),
    content: read?.content ?? shown!,
    ...(isError && { is_error: true }),
    ...read?.extras,
    ...(read !== undefined && resultDisplay != null && { resultDisplay }),
  };
  return { call, answer: { message, at } };
}

/** The messages that a message of Gemini CLI is; why it is none, otherwise. */
export function chatOf(value: LogEvent, timeOf: TimeOf): RecordedMessage[] | string {
  const { type, content, thoughts, toolCalls, tokens, timestamp, message, ...rest } = value;
  const at = timeOf(timestamp);
  const spoken = content ?? message;
  if (type === "user") {
    const read = geminiMessages({ role: "user", parts: partsOf(spoken) });
    if (typeof read === "string") return read;
    const kept = restOf(at === undefined ? { ...rest, timestamp } : rest) ?? {};
    return read.map((each, index) => ({ message: index === 0 ? { ...kept, ...each } : each, at }));
  }
  const isListOfCalls = Array.isArray(toolCalls) && toolCalls.every(isObject);
  const calls = Array.isArray(toolCalls) ? (toolCalls as unknown[]).filter(isObject) : [];
  const called = calls.map((call) => calledIn(call, timeOf));
  const read = geminiMessages({ role: "model", parts: partsOf(spoken) });
  if (typeof read === "string") return read;
  const said = read.find(({ role }) => role === "assistant");
  const own = [...(said?.tool_calls ?? []), ...called.map(({ call }) => call)];
  const thought = thoughtsOf(thoughts);
  const answer: ChatMessage = {
    ...restOf({
      ...rest,
      ...(tokens != null && { tokens }),
      ...(at === undefined && { timestamp }),
      ...(isListOfCalls ? {} : { toolCalls }),
    }),
    role: "assistant",
    content: plainContent(said?.content ?? null),
    ...thought,
    ...(own.length > 0 && { tool_calls: own }),
  };
  const answers = called.flatMap(({ answer: each }) => each ?? []);
  return [{ message: answer, at, usage: usageOf(tokens) }, ...answers];
}
