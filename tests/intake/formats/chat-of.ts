import { type ChatMessage, textOf } from "../../../intake/chat/message.ts";
import type { EventOf } from "../../../schemas/generated/events.ts";
import type { SessionTrace } from "../../../traces/session-trace.ts";

type Call = EventOf<"ToolCallStarted">;

/** What a session recorded of a conversation. */
export const chatOf = ({ events }: SessionTrace): ChatMessage[] =>
  events
    .filter((event): event is EventOf<"MessageRecorded"> => event.type === "MessageRecorded")
    .map(({ message }) => JSON.parse(message) as ChatMessage);

/** Who said what, in one line each: what a reader sees first. */
export const linesOf = (session: SessionTrace): string[] =>
  chatOf(session).map((message) => {
    const { role, content, tool_calls, function_call } = message;
    const called = [...(tool_calls ?? []).map((call) => call.function), function_call]
      .filter((each) => each !== undefined && each !== null)
      .map((each) => `${each.name}(${each.arguments ?? ""})`);
    const text = textOf(message) ?? (content ? JSON.stringify(content) : "");
    return `${role}: ${[text, ...called].filter((part) => part !== "").join(" ")}`;
  });

/** The calls of a session, each with what its tool answered. */
export function answersOf({ events }: SessionTrace): [call: string, answer: string | null][] {
  return events
    .filter((event): event is Call => event.type === "ToolCallStarted")
    .map(({ call_id, name }) => {
      const ended = events.find(
        (event): event is EventOf<"ToolCallEnded"> =>
          event.type === "ToolCallEnded" && event.call_id === call_id,
      );
      return [name, ended?.error ?? ended?.output ?? null];
    });
}

/** A session's metadata, read. */
export const metadataOf = ({ started }: SessionTrace): Record<string, unknown> =>
  JSON.parse(started?.metadata ?? "{}") as Record<string, unknown>;

/** The score that was recorded with a session. */
export const scoreOf = ({ judgements }: SessionTrace): number | undefined => judgements[0]?.score;
