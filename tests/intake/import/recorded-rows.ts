import { type RecordedRow, readRow } from "../../../intake/import/recorded-row.ts";
import { sessionEvents } from "../../../intake/import/recorded-session.ts";
import type { AtlasEvent, EventOf, EventType } from "../../../schemas/generated/events.ts";
import { alreadyMasked } from "../../../schemas/masked.ts";

export const OPTIONS = { assumedStart: 1_000_000, rulesHash: "rules", mask: alreadyMasked };

export function rowOf(value: unknown): RecordedRow {
  const row = readRow(typeof value === "string" ? value : JSON.stringify(value));
  if (typeof row === "string") throw new Error(row);
  return row;
}

export const eventsOf = (
  value: unknown,
  options: Partial<Parameters<typeof sessionEvents>[1]> = {},
): AtlasEvent[] => sessionEvents(rowOf(value), { ...OPTIONS, ...options });

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
