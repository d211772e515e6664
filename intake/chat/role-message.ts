import { isObject } from "../../traces/clean-text.ts";
import { isResult, resultContent, type SplitContent, splitContent } from "./content.ts";
import type { ChatMessage, ChatRole, ChatToolCall, ContentPart } from "./message.ts";
import { argumentsText, toolCallOf } from "./tool-call.ts";

/** Roles by the names that others give them. */
const ROLES: Record<string, ChatRole> = {
  system: "system",
  developer: "developer",
  user: "user",
  human: "user",
  assistant: "assistant",
  ai: "assistant",
  model: "assistant",
  bot: "assistant",
  gpt: "assistant",
  chatgpt: "assistant",
  agent: "assistant",
  tool: "tool",
  observation: "tool",
  tool_result: "tool",
  tool_response: "tool",
  toolresult: "tool",
  environment: "tool",
  function_response: "tool",
  "function-response": "tool",
  function: "function",
};

/** A role by any of its names; undefined for what is none. */
export const roleOf = (name: unknown): ChatRole | undefined =>
  typeof name === "string" && Object.hasOwn(ROLES, name.toLowerCase())
    ? ROLES[name.toLowerCase()]
    : undefined;

const isPart = (part: unknown): part is ContentPart => typeof part === "string" || isObject(part);

const isTextAlone = (content: Record<string, unknown>): content is { text: string } =>
  typeof content.text === "string" && Object.keys(content).every((key) => key === "type" || key === "text");

/** Whether an object is a part of a content, and not a structure of somebody's own. */
const isPartLike = ({ type, text, value, refusal }: Record<string, unknown>): boolean =>
  [type, text, value, refusal].some((each) => typeof each === "string");

/** The calls of a message; text that holds a list is read. Gives the very list where nothing had to be changed. */
function callsOf(value: unknown): ChatToolCall[] | string {
  let list = value;
  if (typeof list === "string") {
    try {
      list = JSON.parse(list);
    } catch {
      return "tool_calls is not a list";
    }
  }
  if (!Array.isArray(list)) return "tool_calls is not a list";
  const calls: ChatToolCall[] = [];
  for (const [index, item] of (list as unknown[]).entries()) {
    const call = toolCallOf(item);
    if (typeof call === "string") return `tool_calls[${index}]${call.startsWith("is") ? " " : "."}${call}`;
    calls.push(call);
  }
  return list === value && calls.every((call, index) => call === (list as unknown[])[index])
    ? (list as ChatToolCall[])
    : calls;
}

function legacyCall(value: unknown): ChatMessage["function_call"] | string {
  if (!isObject(value)) return "function_call is not an object";
  if (typeof value.name !== "string") return "function_call.name is not a text";
  const text = argumentsText(value.arguments);
  return value.arguments === text
    ? (value as { name: string })
    : { ...value, name: value.name, arguments: text };
}

const CALL_IDS = ["tool_call_id", "tool_use_id", "toolCallId", "call_id", "id"] as const;

/** Names the call that a result answers in OpenAI's field. */
function answeredCall(value: Record<string, unknown>): Record<string, unknown> {
  if (typeof value.tool_call_id === "string") return value;
  const { tool_call_ids, ...others } = value;
  if (Array.isArray(tool_call_ids) && tool_call_ids.length === 1)
    return { ...others, tool_call_id: tool_call_ids[0] as unknown };
  const key = CALL_IDS.find((name) => typeof value[name] === "string" || typeof value[name] === "number");
  if (key === undefined || key === "tool_call_id") return value;
  const { [key]: id, ...rest } = value;
  return { ...rest, tool_call_id: String(id) };
}

/** Whether the parts are as they were, and nothing was taken out of them. */
const isUntouched = (
  { content, calls, results, reasoning, reasoningParts }: SplitContent,
  given: ContentPart[],
) =>
  calls.length + results.length + reasoning.length + reasoningParts.length === 0 &&
  (given.length === 0 ||
    (given.length === 1 && isObject(given[0]) && given[0].text === content && given[0].type === "text") ||
    (Array.isArray(content) && content.every((part, index) => part === given[index])));

function withParts(value: Record<string, unknown>, role: ChatRole, given: ContentPart[]): ChatMessage[] {
  const found = splitContent(given);
  const { content, calls, results, reasoning, reasoningParts } = found;
  if (isUntouched(found, given)) return [value as ChatMessage];
  const recorded = Array.isArray(value.tool_calls) ? (value.tool_calls as ChatToolCall[]) : [];
  const known = new Set(recorded.map(({ id }) => id));
  const tool_calls = [...recorded, ...calls.filter(({ id }) => id === undefined || !known.has(id))];
  const before = typeof value.reasoning_content === "string" ? [value.reasoning_content] : [];
  const thoughts = [...before, ...reasoning];
  const message: ChatMessage = {
    ...value,
    role,
    content,
    ...(thoughts.length > 0 && { reasoning_content: thoughts.join("\n") }),
    ...(reasoningParts.length > 0 && { reasoning_parts: reasoningParts }),
    ...(tool_calls.length > 0 && { tool_calls }),
  };
  // A turn of results alone says nothing of its own.
  const isSilent =
    content === null && tool_calls.length === 0 && thoughts.length === 0 && reasoningParts.length === 0;
  if (results.length === 0) return [message];
  if (!isSilent) return [...results, message];
  const { role: _role, content: _content, ...others } = value;
  return results.map((result, index) => (index === 0 ? { ...others, ...result } : result));
}

/**
 * A message that says its role, in whatever dialect its content and calls are: one message, or more where results of
 * tools stand among its parts.
 *
 * @returns the messages, the very one where it is OpenAI's already; or why it is none
 */
export function roleMessages(given: Record<string, unknown>): ChatMessage[] | string {
  const role = roleOf(given.role);
  if (role === undefined)
    return "role is not one of system, developer, user, assistant, tool, function, or a name for one of these";
  let value = given.role === role ? given : { ...given, role };
  if (role === "tool") value = answeredCall(value);
  if (value.tool_calls !== undefined && value.tool_calls !== null) {
    const calls = callsOf(value.tool_calls);
    if (typeof calls === "string") return calls;
    if (calls !== value.tool_calls) value = { ...value, tool_calls: calls };
  }
  if (value.function_call !== undefined && value.function_call !== null) {
    const call = legacyCall(value.function_call);
    if (typeof call === "string") return call;
    if (call !== value.function_call) value = { ...value, function_call: call };
  }
  const { content } = value;
  if (content === undefined || content === null || typeof content === "string") return [value as ChatMessage];
  // A turn of a tool that holds results as parts, one or more of them.
  if (role === "tool" && Array.isArray(content) && content.some(isResult) && content.every(isPart))
    return withParts(value, role, content);
  if (role === "tool" || role === "function") {
    const text = resultContent(content);
    const isSame =
      Array.isArray(content) && Array.isArray(text) && text.every((part, index) => part === content[index]);
    return [(isSame || isTextParts(content) ? value : { ...value, content: text }) as ChatMessage];
  }
  if (isObject(content)) {
    if (isTextAlone(content)) return [{ ...value, role, content: content.text }];
    if (isPartLike(content)) return withParts({ ...value, content: [content] }, role, [content]);
    const { parts, ...about } = content;
    if (Array.isArray(parts) && parts.every(isPart))
      return withParts({ ...value, content: parts, ...about }, role, parts);
    return [{ ...value, role, content: JSON.stringify(content) }];
  }
  if (!Array.isArray(content) || !content.every(isPart))
    return "content is not a text, null or a list of parts";
  return withParts(value, role, content);
}

/** Text parts as OpenAI writes them stay a list. */
const isTextParts = (content: unknown): boolean =>
  Array.isArray(content) &&
  content.every(
    (part) =>
      typeof part === "string" || (isObject(part) && part.type === "text" && typeof part.text === "string"),
  );
