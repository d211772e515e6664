import { isObject } from "../../traces/clean-text.ts";
import { isMessage } from "../chat/read-messages.ts";
import { toolCallOf } from "../chat/tool-call.ts";
import { instructionsOf, isPart, oneOfBatch, toolsOf, unwrapped } from "./payload.ts";
import { parsedText, type Said } from "./said.ts";

/** Names of an answer that is a text, in the replies of models and in what agents give back. */
const TEXTS = [
  "text",
  "content",
  "completion",
  "output_text",
  "answer",
  "output",
  "response",
  "result",
] as const;
/** Names of what holds the answer. */
const HOLDERS = [
  "message",
  "output",
  "content",
  "response",
  "result",
  "return_values",
  "outputs",
  "body",
] as const;

const saying = (content: unknown): unknown[] => [{ role: "assistant", content }];

const isCall = (value: unknown): boolean =>
  isObject(value) && value.role === undefined && typeof toolCallOf(value) !== "string";

function inList(given: unknown[]): Said {
  const list = oneOfBatch(given).map((item) => unwrapped(parsedText(item)));
  if (list.length === 0) return {};
  if (list.every(isMessage)) return { answered: list };
  if (
    list.every((item) => isCall(item) && (!isPart(item) || (item as { type: unknown }).type === "function"))
  )
    return { answered: [{ role: "assistant", content: null, tool_calls: list }] };
  if (list.every(isPart)) {
    const [only] = list;
    return { answered: saying(list.length === 1 && typeof only === "string" ? only : list) };
  }
  // Several candidates of one answer: the first is the one that was used.
  const [first] = list;
  return isObject(first) ? answeredIn(first) : {};
}

/** The AI SDK writes text, thoughts and calls beside each other. */
function fromFields(given: Record<string, unknown>): unknown[] | undefined {
  const calls = parsedText(given.toolCalls ?? given.tool_calls);
  const { text, content, reasoning, reasoningText } = given;
  const said = [text, content].find((found) => typeof found === "string");
  if (!Array.isArray(calls) || calls.length === 0 || !calls.every(isCall)) return undefined;
  const thoughts = [reasoningText, reasoning].find((found) => typeof found === "string" && found !== "");
  return [
    {
      role: "assistant",
      content: said ?? null,
      tool_calls: calls,
      ...(thoughts !== undefined && { reasoning_content: thoughts }),
    },
  ];
}

/** A message of Anthropic is the whole reply: what was said of it, without the bookkeeping. */
const spokenOf = (message: Record<string, unknown>): Record<string, unknown> =>
  message.type === "message" && message.stop_reason !== undefined
    ? { role: message.role, content: message.content }
    : message;

function inObject(given: Record<string, unknown>): Said {
  const beside = { tools: toolsOf(given), instructions: instructionsOf(given) };
  const inner = unwrapped(given);
  if (isMessage(inner)) return { ...(inner !== given && beside), answered: [spokenOf(inner)] };
  for (const name of ["choices", "generations", "candidates", "output", "messages", "output_messages"]) {
    const list = parsedText(given[name]);
    const found = Array.isArray(list) ? inList(list as unknown[]) : {};
    if (found.answered !== undefined) return { ...beside, answered: found.answered };
  }
  const { parts } = given;
  if (Array.isArray(parts) && parts.length > 0)
    return { ...beside, answered: [{ role: "assistant", ...given }] };
  const fields = fromFields(given);
  if (fields !== undefined) return { ...beside, answered: fields };
  for (const name of HOLDERS) {
    const holder = parsedText(given[name]);
    if (typeof holder !== "object" || holder === null) continue;
    const found = answeredIn(holder);
    if (found.answered !== undefined) return { ...beside, ...found };
  }
  const text = TEXTS.map((name) => given[name]).find((found) => typeof found === "string" && found !== "");
  if (text === undefined) return beside;
  const { reasoning, reasoning_content } = given;
  const thoughts = [reasoning_content, reasoning].find((found) => typeof found === "string" && found !== "");
  const message = { role: "assistant", content: text };
  return {
    ...beside,
    answered: [thoughts === undefined ? message : { ...message, reasoning_content: thoughts }],
  };
}

/**
 * What a model or an agent answered, from the output that was recorded of it: a message, the reply of any provider, calls
 * of tools, the state of an agent, or a text.
 */
export function answeredIn(output: unknown): Said {
  const given = parsedText(output);
  if (typeof given === "string") return given === "" ? {} : { answered: saying(given) };
  if (Array.isArray(given)) return inList(given as unknown[]);
  return isObject(given) ? inObject(given) : {};
}

/** The same for the reply of a model, of which an object without any known field is the answer: it was to be JSON. */
export function repliedIn(output: unknown): Said {
  const found = answeredIn(output);
  const given = parsedText(output);
  const isOther = isObject(given) ? Object.keys(given).length > 0 : Array.isArray(given) && given.length > 0;
  if (found.answered !== undefined || !isOther) return found;
  return { ...found, answered: saying(typeof output === "string" ? output : JSON.stringify(output)) };
}
