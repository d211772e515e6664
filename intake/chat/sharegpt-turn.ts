import { isObject } from "../../traces/clean-text.ts";
import type { ChatMessage, ChatToolCall } from "./message.ts";
import { roleOf } from "./role-message.ts";
import { toolCallOf } from "./tool-call.ts";

/** Turns of ShareGPT that call functions: their value is the call as JSON text. */
const CALLING = new Set(["function_call", "tool_call", "function-call"]);

/** Whether a value is a turn of ShareGPT: who it is from, and a text. */
export const isShareGptTurn = ({ from, value, role }: Record<string, unknown>): boolean =>
  typeof from === "string" && role === undefined && (typeof value === "string" || value === null);

function callsIn(text: string): ChatToolCall[] | undefined {
  try {
    const parsed = JSON.parse(text) as unknown;
    const calls = (Array.isArray(parsed) ? (parsed as unknown[]) : [parsed]).map(toolCallOf);
    return calls.every((call) => isObject(call)) ? calls : undefined;
  } catch {
    return undefined;
  }
}

/** The message that a turn is. A call that cannot be read stays a text. */
export function shareGptMessages(turn: Record<string, unknown>): ChatMessage[] | string {
  const { from, value, ...rest } = turn;
  const text = (value ?? "") as string;
  if (CALLING.has(from as string)) {
    const tool_calls = callsIn(text);
    return [
      {
        role: "assistant",
        ...(tool_calls === undefined ? { content: text } : { content: null, tool_calls }),
        ...rest,
      },
    ];
  }
  const role = roleOf(from);
  if (role === undefined) return "from is not one of system, human, gpt, function_call, observation";
  return [{ role, content: text, ...rest }];
}
