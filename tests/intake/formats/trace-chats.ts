import { expect } from "vitest";
import type { ChatMessage } from "../../../intake/chat/message.ts";
import type { AtlasEvent } from "../../../schemas/generated/events.ts";
import { type ReadFile, readValues } from "./accounts-for.ts";

/** The messages of a session, as they were recorded. */
export const chatOf = (events: readonly AtlasEvent[]): ChatMessage[] =>
  events
    .filter((event) => event.type === "MessageRecorded")
    .map(({ message }) => JSON.parse(message) as ChatMessage);

/** A message in one line: who says what, and which calls it makes or answers. */
export function lineOf({ role, content, tool_calls, tool_call_id }: ChatMessage): string {
  const calls = (tool_calls ?? []).map((call) => `${call.function?.name}(${call.function?.arguments})`);
  const said = typeof content === "string" ? content : content == null ? "" : JSON.stringify(content);
  const answered = tool_call_id ? ` to ${tool_call_id}` : "";
  return `${role}${answered}: ${[said, ...calls].filter(Boolean).join(" ")}`;
}

/** The chats that values come to, each message in one line. */
export function chatsOf(...values: unknown[]): string[][] {
  const read = readValues(values);
  expect(read.problems).toEqual([]);
  return read.events.map((events) => chatOf(events).map(lineOf));
}

/** The events of a type. */
export const eventsOfType = <T extends AtlasEvent["type"]>(
  { events }: ReadFile,
  type: T,
): Extract<AtlasEvent, { type: T }>[] =>
  events.flat().filter((event): event is Extract<AtlasEvent, { type: T }> => event.type === type);
