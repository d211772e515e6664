import type { JsonText } from "../../schemas/generated/events.ts";

/** A call of a tool, in the shape of OpenAI's chat API. */
export interface ChatToolCall {
  id?: string;
  type?: string;
  function?: { name: string; arguments: JsonText; [extra: string]: unknown };
  /** Of a tool that takes free text. */
  custom?: { name: string; input: string; [extra: string]: unknown };
  [extra: string]: unknown;
}

/** A part of a content that is a list. */
export type ContentPart =
  | string
  | { type?: unknown; text?: unknown; refusal?: unknown; [extra: string]: unknown };

/** Who says a message. */
export type ChatRole = "system" | "developer" | "user" | "assistant" | "tool" | "function";

/**
 * A message in the shape of OpenAI's chat API, in which every format's messages are recorded. What else a message
 * holds stays in it under its own name.
 */
export interface ChatMessage {
  role: ChatRole;
  content?: string | null | ContentPart[];
  name?: string | null;
  refusal?: string | null;
  /** What the model thought before it answered. */
  reasoning_content?: string | null;
  tool_calls?: ChatToolCall[] | null;
  tool_call_id?: string | null;
  function_call?: { name: string; arguments?: JsonText; [extra: string]: unknown } | null;
  [extra: string]: unknown;
}

/** The text of a message: its parts one below the other, or the refusal; undefined where it has none. */
export function textOf(message: ChatMessage | undefined): string | undefined {
  const content = message?.content ?? message?.refusal;
  if (content === undefined || content === null || typeof content === "string") return content ?? undefined;
  const texts = content
    .map((part) => (typeof part === "string" ? part : (part.text ?? part.refusal)))
    .filter((found): found is string => typeof found === "string");
  return texts.length === 0 ? undefined : texts.join("\n");
}
