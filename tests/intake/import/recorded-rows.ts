import { factsOf } from "../../../intake/import/conversation-facts.ts";
import { FileFormats } from "../../../intake/import/file-formats.ts";
import type { FoundConversation } from "../../../intake/import/read-recordings.ts";
import { type Recording, type SessionOptions, sessionOf } from "../../../intake/import/recorded-session.ts";
import type { AtlasEvent, EventOf, EventType } from "../../../schemas/generated/events.ts";
import { alreadyMasked } from "../../../schemas/masked.ts";

export const OPTIONS = { assumedStart: 1_000_000, rulesHash: "rules", mask: alreadyMasked };

/** What one row of a file comes to: a conversation, or why it is none; and what was told of it. */
export function readRow(source: string): {
  found?: Pick<FoundConversation, "format" | "conversation">;
  reason?: string;
  notes: string[];
} {
  const formats = new FileFormats({});
  formats.add({ line: 1, text: source });
  formats.end();
  const [found] = formats.takeConversations();
  const [problem] = formats.takeProblems();
  const notes = formats.takeNotes().map(({ reason }) => reason);
  return { ...(found && { found }), ...(problem && { reason: problem.reason }), notes };
}

/** The recording in a row; throws where there is none. */
export function recordingOf(value: unknown): Recording {
  const { found, reason } = readRow(typeof value === "string" ? value : JSON.stringify(value));
  if (found === undefined) throw new Error(reason);
  const facts = factsOf(found.conversation, { min: 0, max: 1 }, () => undefined);
  if (typeof facts === "string") throw new Error(facts);
  return { ...found, facts };
}

export const eventsOf = (value: unknown, options: Partial<SessionOptions> = {}): AtlasEvent[] =>
  sessionOf(recordingOf(value), { ...OPTIONS, ...options }).events;

export const ofType = <T extends EventType>(events: readonly AtlasEvent[], type: T): EventOf<T>[] =>
  events.filter((event): event is EventOf<T> => event.type === type);

export const user = (content: unknown) => ({ role: "user", content });
export const said = (content: unknown, ...tool_calls: unknown[]) => ({
  role: "assistant",
  content,
  tool_calls,
});
export const call = (name: string, args: unknown = "{}", id?: string) => ({
  id,
  type: "function",
  function: { name, arguments: args },
});
export const result = (content: unknown, tool_call_id?: string, name?: string) => ({
  role: "tool",
  content,
  tool_call_id,
  name,
});
