import { isObject } from "../../traces/clean-text.ts";
import { type LogEvent, textOr } from "./agent-log.ts";
import { execLines, isExecError, isExecEvent } from "./codex-exec.ts";

/** Kinds of lines that a rollout of Codex consists of. */
const KINDS = new Set([
  "session_meta",
  "turn_context",
  "response_item",
  "event_msg",
  "compacted",
  "world_state",
  "inter_agent_communication",
]);

const isLine = ({ type, payload, timestamp }: LogEvent): boolean =>
  typeof type === "string" && KINDS.has(type) && isObject(payload) && timestamp !== undefined;

const HEADER_FIELDS = new Set(["id", "timestamp", "instructions", "git"]);

/** The first line of older rollouts, which are the items alone. */
const isOldHeader = (value: LogEvent): boolean =>
  typeof value.id === "string" &&
  typeof value.timestamp === "string" &&
  Object.keys(value).every((name) => HEADER_FIELDS.has(name));

const isOldFile = ({ session, items }: LogEvent): boolean =>
  isObject(session) && typeof session.id === "string" && Array.isArray(items);

/** Whether a value is a line of a rollout of Codex, or the whole of one. */
export const isCodex = (value: unknown): boolean =>
  isObject(value) &&
  (isLine(value) ||
    isOldHeader(value) ||
    isOldFile(value) ||
    isExecEvent(value) ||
    value.record_type === "state");

/** A line in today's shape. */
export interface CodexLine {
  kind: string;
  payload: LogEvent;
  timestamp: unknown;
  /** What the line says besides. */
  rest: LogEvent;
}

function lineOf(value: unknown): CodexLine[] | undefined {
  if (!isObject(value)) return undefined;
  if (isOldFile(value)) {
    const { session, items, ...rest } = value;
    const payload = session as LogEvent;
    const header = { kind: "session_meta", payload, timestamp: payload.timestamp, rest };
    return [header, ...(items as unknown[]).flatMap((item) => lineOf(item) ?? [])];
  }
  const { type, payload, timestamp, ...rest } = value;
  if (typeof type === "string" && isObject(payload)) return [{ kind: type, payload, timestamp, rest }];
  if (isOldHeader(value)) return [{ kind: "session_meta", payload: value, timestamp, rest: {} }];
  if (value.record_type !== undefined) return [{ kind: "state", payload: value, timestamp, rest: {} }];
  if (typeof type !== "string") return undefined;
  const { timestamp: at, ...item } = value;
  return [{ kind: "response_item", payload: item, timestamp: at, rest: {} }];
}

const ofExec = (value: unknown): value is LogEvent => isObject(value) && isExecEvent(value);

/** The lines of a rollout, and what is none of them. */
export function linesOf(values: readonly unknown[]): { lines: CodexLine[]; unread: unknown[] } {
  const unread: unknown[] = [];
  const isExec = values.some(ofExec) && !values.some((value) => isObject(value) && isLine(value));
  if (isExec) {
    const isPart = (value: unknown): value is LogEvent =>
      ofExec(value) || (isObject(value) && isExecError(value));
    const lines = execLines(values.filter(isPart));
    return {
      lines: lines.map((line) => ({ ...line, timestamp: undefined, rest: {} })),
      unread: values.filter((value) => !isPart(value)),
    };
  }
  const lines = values.flatMap((value) => {
    const found = lineOf(value);
    if (found === undefined) unread.push(value);
    return found ?? [];
  });
  return { lines, unread };
}

/** The text of a message item. */
export function itemText({ content }: LogEvent): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  const texts = (content as unknown[]).map((part) => (isObject(part) ? part.text : part));
  return texts.filter((text) => typeof text === "string").join("\n");
}

/** How a text begins that Codex itself wrote under the user's role. */
const WRITTEN_BY_PROGRAM =
  /^\s*(?:<(?:environment_context|user_instructions|turn_aborted|user_shell_command|subagent_notification|skill|permissions instructions|collaboration_mode|apps_instructions|plugins_instructions|skills_instructions)\b|# AGENTS\.md instructions for )/;

export const isFromProgram = (item: LogEvent): boolean =>
  item.role === "user" && WRITTEN_BY_PROGRAM.test(itemText(item));

/** What of an event repeats a message, by its type: the field that holds its text. */
const REPEATING: Record<string, string> = {
  user_message: "message",
  agent_message: "message",
  agent_reasoning: "text",
  agent_reasoning_raw_content: "text",
};

/** The message or thought that an event tells of. */
export function toldIn(event: LogEvent): { field: string; text: string } | undefined {
  const type = textOr(event.type, "");
  const field = Object.hasOwn(REPEATING, type) ? REPEATING[type]! : undefined;
  const text = field === undefined ? undefined : textOr(event[field], undefined);
  return field === undefined || text === undefined ? undefined : { field, text };
}

/** An event as the item that it tells of, for rollouts that have none. */
export function itemFrom(event: LogEvent): LogEvent | undefined {
  const told = toldIn(event);
  if (told === undefined) return undefined;
  if (event.type === "user_message") return { type: "message", role: "user", content: told.text };
  if (event.type === "agent_message") return { type: "message", role: "assistant", content: told.text };
  return { type: "reasoning", summary: [{ type: "summary_text", text: told.text }] };
}
