import { isObject } from "../../traces/clean-text.ts";
import { resultContent, splitContent } from "../chat/content.ts";
import type { ChatMessage, ChatToolCall, ContentPart } from "../chat/message.ts";
import { numberIn, textIn } from "./fields.ts";
import type { ReadingContext, RecordedMessage, RecordedUsage } from "./format.ts";

/** An event of a session: what it is, and what else it holds. */
export type ManagedEvent = Record<string, unknown>;

const RESULTS: Record<string, string> = {
  "agent.tool_result": "tool_use_id",
  "agent.mcp_tool_result": "mcp_tool_use_id",
  "user.custom_tool_result": "custom_tool_use_id",
};
const CALLS = new Set(["agent.tool_use", "agent.mcp_tool_use", "agent.custom_tool_use"]);

const partsOf = (content: unknown): ContentPart[] =>
  (Array.isArray(content) ? (content as unknown[]) : [content]).filter(
    (part): part is ContentPart => typeof part === "string" || isObject(part),
  );

/** Text parts below each other, or the parts where there are others. */
const contentOf = (event: ManagedEvent) => splitContent(partsOf(event.content)).content;

function usageOf(counts: unknown): RecordedUsage | undefined {
  if (!isObject(counts)) return undefined;
  const [fresh, read, written] = [
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
  ].map((name) => numberIn(counts[name]));
  const completion = numberIn(counts.output_tokens);
  if (fresh === undefined && completion === undefined) return undefined;
  // The provider counts what it had in its cache apart from the rest of the prompt.
  return { prompt: (fresh ?? 0) + (read ?? 0) + (written ?? 0), completion, cached: read };
}

const callOf = ({ id, name, input, mcp_server_name }: ManagedEvent): ChatToolCall => ({
  ...(typeof id === "string" && { id }),
  type: "function",
  function: { name: String(name), arguments: JSON.stringify(input ?? {}) },
  ...(mcp_server_name !== undefined && { mcp_server_name }),
});

function resultOf(event: ManagedEvent, idField: string): ChatMessage {
  const call = textIn(event[idField]);
  return {
    role: "tool",
    ...(call !== undefined && { tool_call_id: call }),
    content: resultContent(event.content),
    ...(event.is_error === true && { is_error: true }),
  };
}

/** Puts the events of a session together into turns: what one request of the model said is one message. */
export function managedTurns(events: readonly ManagedEvent[], { timeOf }: ReadingContext): RecordedMessage[] {
  const messages: RecordedMessage[] = [];
  let open: RecordedMessage | undefined;
  let last: RecordedMessage | undefined;
  const turn = (at: number | undefined): ChatMessage => {
    if (open === undefined) {
      open = { message: { role: "assistant", content: null }, at };
      last = open;
      messages.push(open);
    }
    return open.message;
  };
  for (const event of events) {
    const type = String(event.type);
    const at = timeOf(event.processed_at ?? event.created_at, "processed_at");
    const idField = RESULTS[type];
    if (type === "span.model_request_start") open = undefined;
    else if (type === "span.model_request_end") {
      if (last !== undefined) last.usage = usageOf(event.model_usage);
      open = undefined;
      last = undefined;
    } else if (type === "agent.message") {
      // A second text of the same request is a message of its own.
      if (open !== undefined && open.message.content !== null) open = undefined;
      turn(at).content = contentOf(event);
    } else if (type === "agent.thinking") {
      const thought = textIn(event.thinking) ?? textIn(contentOf(event));
      if (thought !== undefined) turn(at).reasoning_content = thought;
    } else if (CALLS.has(type)) {
      const message = turn(at);
      message.tool_calls = [...(message.tool_calls ?? []), callOf(event)];
    } else if (idField !== undefined) {
      open = undefined;
      messages.push({ message: resultOf(event, idField), at });
    } else if (type === "user.message") {
      open = undefined;
      messages.push({ message: { role: "user", content: contentOf(event) }, at });
    }
  }
  return messages;
}
