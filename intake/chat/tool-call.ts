import type { JsonText } from "../../schemas/generated/events.ts";
import { isObject } from "../../traces/clean-text.ts";
import type { ChatToolCall } from "./message.ts";

/** Names under which others keep the arguments of a call, the first that is there counts. */
const ARGUMENTS = ["arguments", "args", "input", "parameters"] as const;
const IDS = ["id", "call_id", "tool_call_id", "toolCallId", "tool_use_id"] as const;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Arguments as JSON text, where there are any: an object is written, text that was encoded twice is decoded once, and
 * any other text stays.
 */
export function argumentsText(value: unknown): JsonText {
  if (value === undefined || value === null) return "{}";
  if (typeof value !== "string") return JSON.stringify(value);
  const inner = value.startsWith('"') ? parsed(value) : undefined;
  return typeof inner === "string" && isObject(parsed(inner)) ? inner : value;
}

const first = (value: Record<string, unknown>, names: readonly string[]): string | undefined =>
  names.find((name) => value[name] !== undefined);

const without = (value: Record<string, unknown>, ...names: (string | undefined)[]) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));

const idOf = (value: Record<string, unknown>): string | undefined => {
  const name = first(value, IDS);
  const id = name === undefined ? undefined : value[name];
  return typeof id === "string" ? id : typeof id === "number" ? String(id) : undefined;
};

function ofFunction(value: Record<string, unknown>, called: Record<string, unknown>): ChatToolCall | string {
  if (typeof called.name !== "string") return "function.name is not a text";
  const text = argumentsText(called.arguments);
  const same = called.arguments === text && (value.id === undefined || typeof value.id === "string");
  if (same) return value as ChatToolCall;
  const id = idOf(value);
  return {
    ...value,
    ...(id !== undefined && { id }),
    function: { ...called, name: called.name, arguments: text },
  };
}

/** A call whose name and arguments stand beside its id. */
function ofFlat(value: Record<string, unknown>, name: string): ChatToolCall {
  const key = first(value, ARGUMENTS);
  const rest = without(value, "type", "name", "function", "toolName", key, first(value, IDS));
  const id = idOf(value);
  return {
    ...(id !== undefined && { id }),
    type: "function",
    function: { name, arguments: argumentsText(key === undefined ? undefined : value[key]) },
    ...rest,
  };
}

/**
 * A call of a tool from whatever shape it was recorded in: OpenAI's (function and custom tools), flat
 * (`{id, name, arguments}`), with the function as text, as JSON text, Anthropic's, LangChain's, the AI SDK's.
 *
 * @returns the call, the very one where it is OpenAI's already; or why it is none
 * @example
 * toolCallOf({ id: "c1", name: "read", args: { path: "a" } });
 */
export function toolCallOf(given: unknown): ChatToolCall | string {
  const value = typeof given === "string" ? parsed(given) : given;
  if (!isObject(value)) return "is not an object";
  if (isObject(value.function)) return ofFunction(value, value.function);
  if (isObject(value.custom))
    return typeof value.custom.name === "string" ? (value as ChatToolCall) : "custom.name is not a text";
  const name = [value.function, value.name, value.toolName, value.function_name, value.tool_name].find(
    (found) => typeof found === "string",
  ) as string | undefined;
  return name === undefined ? "function is not an object" : ofFlat(value, name);
}
