import { isObject } from "../../traces/clean-text.ts";
import type { ChatMessage } from "./message.ts";
import { roleMessages } from "./role-message.ts";

const TYPES: Record<string, string> = {
  human: "user",
  ai: "assistant",
  system: "system",
  developer: "developer",
  tool: "tool",
  function: "function",
  HumanMessage: "user",
  AIMessage: "assistant",
  SystemMessage: "system",
  ToolMessage: "tool",
  FunctionMessage: "function",
  HumanMessageChunk: "user",
  AIMessageChunk: "assistant",
  SystemMessageChunk: "system",
  ToolMessageChunk: "tool",
  FunctionMessageChunk: "function",
  ChatMessage: "user",
  ChatMessageChunk: "user",
  chat: "user",
};

const typeOf = (name: unknown): string | undefined =>
  typeof name === "string" && Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;

/** The name of a message's class and its fields, of a message that LangChain serialised. */
function unwrapped(value: Record<string, unknown>): {
  role: string | undefined;
  fields: Record<string, unknown>;
} {
  const { lc, id, kwargs, type, data, ...rest } = value;
  if (Array.isArray(id) && isObject(kwargs)) return { role: typeOf(id.at(-1)), fields: kwargs };
  if (isObject(data)) return { role: typeOf(type), fields: data };
  return { role: typeOf(type), fields: { ...rest, ...(id !== undefined && { id }) } };
}

/** Whether a value is a message of LangChain: by its type in place of a role, or serialised with its class. */
export const isLangChainMessage = (value: Record<string, unknown>): boolean => {
  if (value.role !== undefined) return false;
  const { role, fields } = unwrapped(value);
  return role !== undefined && fields.content !== undefined;
};

/** The message that it is; the calls of the provider's own answer are the ones of the message. */
export function langChainMessages(value: Record<string, unknown>): ChatMessage[] | string {
  const { role, fields } = unwrapped(value);
  // A message of any role says its role itself.
  const { type: _type, additional_kwargs, tool_calls, role: said = role, ...rest } = fields;
  const extra = isObject(additional_kwargs) ? additional_kwargs : {};
  const { tool_calls: provided, ...others } = extra;
  const own = Array.isArray(tool_calls) && tool_calls.length > 0 ? tool_calls : provided;
  return roleMessages({
    ...rest,
    role: said,
    ...(own !== undefined && own !== null && { tool_calls: own }),
    ...(Object.keys(others).length > 0 && { additional_kwargs: others }),
  });
}
