import { isObject } from "../../traces/clean-text.ts";
import { type LogEvent, restOf, textOr } from "./agent-log.ts";

const EVENTS = new Set([
  ...["thread.started", "turn.started", "turn.completed", "turn.failed"],
  ...["item.started", "item.updated", "item.completed"],
]);

/** Whether a value is an event that `codex exec --json` prints. */
export const isExecEvent = ({ type, item, thread_id, usage, error, ...rest }: LogEvent): boolean =>
  typeof type === "string" &&
  EVENTS.has(type) &&
  (type.startsWith("item.")
    ? isObject(item) && typeof item.type === "string"
    : [thread_id, usage, error].some((value) => value !== undefined) || Object.keys(rest).length === 0);

/** An event that stands among the others, and says by itself too little to know them by. */
export const isExecError = ({ type, message }: LogEvent): boolean =>
  type === "error" && typeof message === "string";

/** What the program did for the agent: which fields say with what, and which what came of it. */
const WORK: Record<string, { given: readonly string[]; answer: string }> = {
  command_execution: { given: ["command"], answer: "aggregated_output" },
  mcp_tool_call: { given: ["arguments"], answer: "result" },
  file_change: { given: ["changes"], answer: "status" },
  web_search: { given: ["query", "action"], answer: "results" },
};

const MESSAGES = new Set(["agent_message", "reasoning"]);

/** Work as the items of the Responses API that asked for it and answered it. */
function workItems(item: LogEvent, isOver: boolean): LogEvent[] {
  const type = textOr(item.type, "");
  const { given, answer } = WORK[type]!;
  const { id, type: _, tool, [answer]: came, ...rest } = item;
  const asked = Object.fromEntries(given.filter((name) => name in rest).map((name) => [name, rest[name]]));
  const args = isObject(asked.arguments) ? asked.arguments : asked;
  const about = restOf(rest, ...given) ?? {};
  const name = textOr(tool, type);
  const call = { type: "function_call", name, call_id: id, arguments: JSON.stringify(args), item: type };
  if (!isOver) return [{ ...call, ...about }];
  const result = isObject(came) && Array.isArray(came.content) ? came.content : came;
  // A search does not say what it found.
  const beside = Object.keys(about).length === 0 ? "completed" : about;
  const told = result ?? beside;
  const output = typeof told === "string" || Array.isArray(told) ? told : JSON.stringify(told);
  return [call, { type: "function_call_output", call_id: id, output, ...about }];
}

function itemLines(item: LogEvent, isOver: boolean): { kind: string; payload: LogEvent }[] {
  const type = textOr(item.type, "");
  if (Object.hasOwn(WORK, type))
    return workItems(item, isOver).map((payload) => ({ kind: "response_item", payload }));
  if (MESSAGES.has(type) && typeof item.text === "string" && isOver) {
    const { text, id, type: _, ...rest } = item;
    const said =
      type === "reasoning"
        ? { type, summary: [{ type: "summary_text", text }] }
        : { type: "message", role: "assistant", content: [{ type: "output_text", text }] };
    return [{ kind: "response_item", payload: { ...said, id, ...rest } }];
  }
  // Lists of what is to do, and warnings: an error that ends the turn is an event of its own.
  return [{ kind: "item", payload: item }];
}

/** The lines of a rollout that events of `codex exec --json` come to. An item is told when it begins, and again when it is done. */
export function execLines(events: readonly LogEvent[]): { kind: string; payload: LogEvent }[] {
  const last = new Map<unknown, LogEvent>();
  let turn = 0;
  const keys = events.map((event) => {
    if (event.type === "turn.started") turn += 1;
    const key = isObject(event.item)
      ? `${turn} ${String(event.item.id ?? JSON.stringify(event.item))}`
      : event;
    last.set(key, event);
    return key;
  });
  return events.flatMap((event, index) => {
    const { type, ...rest } = event;
    if (isObject(event.item))
      return last.get(keys[index]) === event ? itemLines(event.item, type === "item.completed") : [];
    if (type === "thread.started") {
      const { thread_id: id, ...others } = rest;
      return [{ kind: "session_meta", payload: { id, ...others } }];
    }
    if (type === "turn.completed")
      return [
        { kind: "event_msg", payload: { type: "token_count", info: { total_token_usage: rest.usage } } },
      ];
    if (type === "error") return [{ kind: "event_msg", payload: event }];
    if (type === "turn.failed") {
      const message = isObject(rest.error) ? rest.error.message : rest.error;
      return [{ kind: "event_msg", payload: { ...rest, type: "error", message } }];
    }
    return [];
  });
}
