import type { MessageRecorded } from "../schemas/generated/events.ts";
import { isObject, jsonValue } from "./clean-text.ts";
import type { SessionTrace } from "./session-trace.ts";

/** True for a session that is one conversation, which somebody else recorded. */
export const isImported = ({ started }: Pick<SessionTrace, "started">): boolean =>
  started?.origin === "import";

/** The messages of a session, in their order. */
export const messagesOf = ({ events }: Pick<SessionTrace, "events">): MessageRecorded[] =>
  events
    .filter((event): event is MessageRecorded => event.type === "MessageRecorded")
    .sort((a, b) => a.index - b.index);

const textOf = (content: unknown): string => {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part: unknown) => (isObject(part) ? part.text : part))
    .filter((text) => typeof text === "string")
    .join("\n");
};

const callOf = (value: unknown): string | undefined => {
  if (!isObject(value)) return undefined;
  const called = isObject(value.function)
    ? value.function
    : isObject(value.custom)
      ? value.custom
      : undefined;
  if (called === undefined) return undefined;
  const given = called.arguments ?? called.input ?? {};
  const text = typeof given === "string" ? given : JSON.stringify(given);
  return `{"name":${JSON.stringify(called.name)},"arguments":${text === "" ? "{}" : text}}`;
};

/** The words of a message, without its calls. */
export function saidIn({ message }: Pick<MessageRecorded, "message">): string {
  const value = jsonValue(message);
  return isObject(value) ? textOf(value.content ?? value.refusal) : "";
}

/** A message as text: what was said, and the calls of tools as JSON, one a line. */
export function sayingOf({ message }: Pick<MessageRecorded, "message">): string {
  const value = jsonValue(message);
  if (!isObject(value)) return "";
  const { tool_calls, function_call } = value;
  const legacy = isObject(function_call) ? [{ function: function_call }] : [];
  const calls = (Array.isArray(tool_calls) ? (tool_calls as unknown[]) : legacy).map(callOf);
  const parts = [textOf(value.content ?? value.refusal), ...calls].filter(
    (part) => part !== undefined && part !== "",
  );
  return parts.join("\n");
}

/** What happened up to the end of a step, since the step before it: a line of who, and what. */
export interface StepTurns {
  step_id: number;
  text: string;
}

/**
 * The turns of a recorded conversation by the steps that they belong to: what the user said before the agent's answer,
 * the answer, and what its tools gave.
 */
export function turnsByStep(trace: Pick<SessionTrace, "events">): StepTurns[] {
  const turns = new Map<number, string[]>();
  let waiting: string[] = [];
  for (const event of messagesOf(trace)) {
    const { role, step_id } = event;
    if (role === "system" || role === "developer") continue;
    const line = `${role}: ${sayingOf(event)}`;
    if (step_id == null) waiting.push(line);
    else {
      turns.set(step_id, [...(turns.get(step_id) ?? []), ...waiting, line]);
      waiting = [];
    }
  }
  return [...turns].map(([step_id, lines]) => ({ step_id, text: lines.join("\n") }));
}
