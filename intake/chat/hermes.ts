import { isObject } from "../../traces/clean-text.ts";
import type { ChatMessage, ChatToolCall } from "./message.ts";
import { parseLiteral } from "./python-literal.ts";
import { toolCallOf } from "./tool-call.ts";

const CALL = /<tool_call>\s*([\s\S]*?)\s*<\/tool_call>/g;
const RESPONSE = /<tool_response>\s*([\s\S]*?)\s*<\/tool_response>/g;

/** Calls that stand in the text between tags. A text with one that cannot be read stays as it is. */
function withCalls(message: ChatMessage, text: string): ChatMessage {
  const calls = [...text.matchAll(CALL)].map(([, inner = ""]) => toolCallOf(parseLiteral(inner)));
  if (calls.length === 0 || !calls.every((call): call is ChatToolCall => isObject(call))) return message;
  const rest = text.replace(CALL, "").trim();
  return { ...message, content: rest === "" ? null : rest, tool_calls: calls };
}

/** Results that stand in the text between tags: each is a message, under the name of its tool. */
function responses(message: ChatMessage, text: string): ChatMessage[] {
  const found = [...text.matchAll(RESPONSE)].map(([, inner = ""]) => inner);
  if (found.length === 0 || text.replace(RESPONSE, "").trim() !== "") return [message];
  return found.map((content) => {
    const given = parseLiteral(content);
    const { name, tool_call_id: id } = isObject(given) ? given : {};
    return {
      ...message,
      role: "tool",
      content,
      ...(typeof name === "string" && { name }),
      ...(typeof id === "string" && { tool_call_id: id }),
    };
  });
}

/**
 * Takes calls and results out of the tags in which Hermes and models trained like it write them.
 *
 * @example
 * fromHermes({ role: "assistant", content: '<tool_call>{"name":"now","arguments":{}}</tool_call>' });
 */
export function fromHermes(message: ChatMessage): ChatMessage[] {
  const { role, content } = message;
  if (typeof content !== "string") return [message];
  if (role === "assistant" && !message.tool_calls) return [withCalls(message, content)];
  if (role === "tool" || role === "function" || role === "user") return responses(message, content);
  return [message];
}

/** Results of parallel calls that were written as one list are given to their calls. */
export function splitResults(messages: readonly ChatMessage[]): ChatMessage[] {
  return messages.flatMap((message, index) => {
    const calls = messages[index - 1]?.tool_calls?.length ?? 0;
    const isOnly = message.role === "tool" && messages[index + 1]?.role !== "tool";
    if (!isOnly || calls < 2 || typeof message.content !== "string") return [message];
    const results = parseLiteral(message.content);
    if (!Array.isArray(results) || results.length !== calls) return [message];
    return (results as unknown[]).map((result) => ({
      ...message,
      content: typeof result === "string" ? result : JSON.stringify(result),
    }));
  });
}
