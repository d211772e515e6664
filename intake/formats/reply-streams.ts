import { isObject } from "../../traces/clean-text.ts";
import { numberOf } from "../exact-json.ts";

type Part = Record<string, unknown>;

/** A reply that is put together from the parts it was sent in. */
interface Assembled {
  reply: Part;
  /** Parts that belong nowhere in it, such as errors. */
  unused: unknown[];
}

/** A way of sending a reply in parts. */
interface Stream {
  is(part: Part): boolean;
  /** Whether a part begins another reply than the one before it. */
  begins(part: Part, before: Part): boolean;
  assemble(parts: readonly Part[]): Assembled;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Merges a delta into what there is so far: texts go on, numbers and the like are replaced, lists by their index. */
function merge(into: Part, delta: Part): void {
  for (const [key, value] of Object.entries(delta)) {
    const before = Object.hasOwn(into, key) ? into[key] : undefined;
    if (isStructure(value) && isStructure(before)) merge(before, value);
    else if (value != null || before === undefined) put(into, key, grown(key, before, value));
  }
}

function grown(key: string, before: unknown, value: unknown): unknown {
  if (typeof value === "string" && typeof before === "string" && GROWING.has(key)) return before + value;
  if (Array.isArray(value)) return mergeList(Array.isArray(before) ? (before as unknown[]) : [], value);
  return copyOf(value);
}

/** Sets a field whatever it is called: an assignment to `__proto__` would be none. */
const put = (into: Part, key: string, value: unknown): unknown =>
  Object.defineProperty(into, key, { value, writable: true, enumerable: true, configurable: true });

/** Fields whose text comes in pieces; all others are said whole. */
const GROWING = new Set([
  ...["content", "reasoning_content", "reasoning", "refusal", "arguments", "input", "text", "summary"],
  ...["thinking", "signature", "data", "partial_json"],
]);

/** An object, and not a number of many digits, which has to stay what it is. */
const isStructure = (value: unknown): value is Part => isObject(value) && numberOf(value) === undefined;

const copyOf = (value: unknown): unknown =>
  Array.isArray(value) ? [...(value as unknown[])] : isStructure(value) ? { ...value } : value;

function mergeList(before: unknown[], delta: unknown[]): unknown[] {
  const list = [...before];
  for (const item of delta) {
    const index = isObject(item) && typeof item.index === "number" ? item.index : undefined;
    const last =
      index === undefined ? -1 : list.findLastIndex((each) => isObject(each) && each.index === index);
    const found = list[last];
    // Some servers give every call the same index: another id is another call.
    const isOther =
      isObject(found) &&
      isObject(item) &&
      text(item.id) !== "" &&
      text(found.id) !== "" &&
      item.id !== found.id;
    if (isObject(found) && isObject(item) && !isOther) {
      const next = { ...found };
      merge(next, item);
      list[last] = next;
    } else {
      list.push(isObject(item) ? { ...item } : item);
    }
  }
  return list;
}

/** OpenAI's chunks of a chat completion. */
function assembleChunks(chunks: readonly Part[]): Assembled {
  const reply: Part = {};
  const choices = new Map<unknown, Part>();
  for (const { choices: sent, ...about } of chunks) {
    merge(reply, about);
    for (const choice of Array.isArray(sent) ? (sent as unknown[]) : []) {
      if (!isObject(choice)) continue;
      const { delta, index = 0, ...rest } = choice;
      const own = choices.get(index) ?? { index, message: { role: "assistant", content: null } };
      choices.set(index, own);
      merge(own, rest);
      if (isObject(delta))
        merge(
          own.message as Part,
          delta.content === "" && (own.message as Part).content === null
            ? { ...delta, content: null }
            : delta,
        );
    }
  }
  for (const choice of choices.values()) dropIndexes(choice.message as Part);
  return { reply: { ...reply, object: "chat.completion", choices: [...choices.values()] }, unused: [] };
}

/** Calls are numbered in a stream alone. */
function dropIndexes(message: Part): void {
  if (!Array.isArray(message.tool_calls)) return;
  message.tool_calls = (message.tool_calls as Part[]).map(({ index: _, ...call }) => call);
}

/** Anthropic's events of a message. */
function assembleAnthropic(events: readonly Part[]): Assembled {
  let reply: Part = { type: "message", role: "assistant" };
  const blocks = new Map<unknown, Part>();
  const unused: unknown[] = [];
  for (const event of events) {
    const { type, index } = event;
    const block = blocks.get(index);
    if (type === "message_start" && isObject(event.message)) reply = { ...event.message };
    else if (type === "content_block_start" && isObject(event.content_block))
      blocks.set(index, { ...event.content_block });
    else if (type === "content_block_delta" && isObject(event.delta) && block !== undefined)
      takeDelta(block, event.delta);
    else if (type === "message_delta") {
      if (isObject(event.delta)) merge(reply, event.delta);
      reply.usage = { ...(reply.usage as Part | undefined), ...(event.usage as Part | undefined) };
    } else if (!["ping", "content_block_stop", "message_stop"].includes(text(type))) unused.push(event);
  }
  return { reply: { ...reply, content: [...blocks.values()].map(withInput) }, unused };
}

function takeDelta(block: Part, { type: _, ...delta }: Part): void {
  const { citation, ...rest } = delta;
  merge(block, rest);
  if (citation !== undefined) block.citations = [...((block.citations as unknown[] | null) ?? []), citation];
}

/** What a tool is given came as pieces of JSON; one that was cut off stays a text. */
function withInput(block: Part): Part {
  const { partial_json, ...rest } = block;
  if (typeof partial_json !== "string" || partial_json === "") return rest;
  try {
    return { ...rest, input: JSON.parse(partial_json) as unknown };
  } catch {
    return { ...rest, input: partial_json };
  }
}

/** OpenAI's events of a response: the last that holds it whole, or the items that were done. */
function assembleResponses(events: readonly Part[]): Assembled {
  const whole = events.findLast(({ response }) => isObject(response))?.response as Part | undefined;
  const isComplete = Array.isArray(whole?.output) && whole.output.length > 0;
  const done = events.flatMap(({ type, item }) => (type === "response.output_item.done" ? [item] : []));
  const unused = events.filter(({ type }) => type === "error");
  return { reply: { object: "response", ...whole, ...(!isComplete && { output: done }) }, unused };
}

/** Gemini's replies of a stream: the parts of one answer. */
function assembleGemini(replies: readonly Part[]): Assembled {
  const reply: Part = {};
  const candidates = new Map<unknown, Part>();
  for (const { candidates: sent, ...about } of replies) {
    merge(reply, about);
    for (const candidate of Array.isArray(sent) ? (sent as unknown[]) : []) {
      if (!isObject(candidate)) continue;
      const { content, index = 0, ...rest } = candidate;
      const own = candidates.get(index) ?? { index, content: { role: "model", parts: [] } };
      candidates.set(index, own);
      merge(own, rest);
      const parts = isObject(content) && Array.isArray(content.parts) ? (content.parts as Part[]) : [];
      for (const part of parts) takeGeminiPart((own.content as Part).parts as Part[], part);
    }
  }
  return { reply: { ...reply, candidates: [...candidates.values()] }, unused: [] };
}

function takeGeminiPart(parts: Part[], part: Part): void {
  const last = parts.at(-1);
  const goesOn =
    last !== undefined &&
    typeof last.text === "string" &&
    typeof part.text === "string" &&
    last.thought === part.thought;
  if (goesOn) merge(last, part);
  else parts.push({ ...part });
}

const ANTHROPIC = new Set([
  ...["message_start", "content_block_start", "content_block_delta", "content_block_stop"],
  ...["message_delta", "message_stop", "ping", "error"],
]);

const isGemini = ({ candidates }: Part): boolean => Array.isArray(candidates);

/** Others have events of these names too; only Anthropic's begin with its message. */
const isAnthropic = ({ type, error, message }: Part): boolean => {
  if (type === "error") return isObject(error);
  if (type === "message_start") return isObject(message) && message.type === "message";
  return ANTHROPIC.has(text(type));
};

const isFinished = ({ candidates }: Part): boolean =>
  (candidates as unknown[]).some((candidate) => isObject(candidate) && candidate.finishReason != null);

const STREAMS: readonly Stream[] = [
  {
    is: ({ object, choices }) =>
      object === "chat.completion.chunk" ||
      (Array.isArray(choices) &&
        choices.length > 0 &&
        choices.every((choice) => isObject(choice) && "delta" in choice)),
    begins: (part, before) => part.id !== before.id,
    assemble: assembleChunks,
  },
  {
    is: isAnthropic,
    begins: ({ type }) => type === "message_start",
    assemble: assembleAnthropic,
  },
  {
    is: ({ type }) => text(type).startsWith("response."),
    begins: ({ type }) => type === "response.created",
    assemble: assembleResponses,
  },
  {
    is: isGemini,
    begins: (part, before) =>
      part.responseId !== before.responseId || (part.responseId === undefined && isFinished(before)),
    assemble: assembleGemini,
  },
];

/** Whether a value is a part of a reply that a provider sends as a stream. */
export const isStreamPart = (value: unknown): value is Part =>
  isObject(value) && STREAMS.some(({ is }) => is(value));

/**
 * Puts the replies together that were sent in parts: OpenAI's chunks and events, Anthropic's events, Gemini's replies.
 * Values that are no parts stay what they are.
 *
 * @example
 * assembled([{ object: "chat.completion.chunk", choices: [{ index: 0, delta: { content: "hi" } }] }]);
 */
export function assembled(values: readonly unknown[]): { replies: unknown[]; unused: unknown[] } {
  const replies: unknown[] = [];
  const unused: unknown[] = [];
  let run: Part[] = [];
  let stream: Stream | undefined;
  const end = (): void => {
    if (stream === undefined || run.length === 0) return;
    const whole = stream.assemble(run);
    replies.push(whole.reply);
    for (const each of whole.unused) unused.push(each);
    run = [];
  };
  for (const value of values) {
    const found = isObject(value) ? STREAMS.find(({ is }) => is(value)) : undefined;
    const before = run.at(-1);
    if (found !== stream || (before !== undefined && found?.begins(value as Part, before) === true)) end();
    stream = found;
    if (found === undefined) replies.push(value);
    else run.push(value as Part);
  }
  end();
  return { replies, unused };
}
