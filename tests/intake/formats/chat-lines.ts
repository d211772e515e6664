import type { AtlasEvent } from "../../../schemas/generated/events.ts";

interface Recorded {
  role: string;
  name?: string;
  content?: unknown;
  reasoning_content?: string;
  tool_calls?: { id?: string; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
}

/** The messages of a session, as they were recorded. */
export const messagesOf = (events: readonly AtlasEvent[]): Recorded[] =>
  events.flatMap((event) =>
    event.type === "MessageRecorded" ? [JSON.parse(event.message) as Recorded] : [],
  );

/** The conversation of a session in a line a message: `role: what it says`, with calls by name and id. */
export function chatLines(events: readonly AtlasEvent[]): string[] {
  return messagesOf(events).map(({ role, name, content, tool_calls = [], tool_call_id }) => {
    const who = role === "system" && name !== undefined ? `${role} ${name}` : role;
    const text = typeof content === "string" ? content : content == null ? "" : JSON.stringify(content);
    const calls = tool_calls.map(
      ({ id, function: { name: tool, arguments: args } }) => ` ${tool}#${id}${args}`,
    );
    return `${who}${tool_call_id === undefined ? "" : ` #${tool_call_id}`}: ${text}${calls.join("")}`;
  });
}

/** The metadata of a session. */
export const metadataOf = (events: readonly AtlasEvent[]): Record<string, unknown> => {
  const started = events.find((event) => event.type === "SessionStarted");
  return JSON.parse(started?.metadata ?? "{}") as Record<string, unknown>;
};

/** What a session was to do. */
export const taskOf = (events: readonly AtlasEvent[]): string | undefined =>
  events.find((event) => event.type === "SessionStarted")?.task;
