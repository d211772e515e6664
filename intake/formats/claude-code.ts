import { isObject } from "../../traces/clean-text.ts";
import { counted, type LogEvent, SharedFields, textOr } from "./agent-log.ts";
import {
  isClaudeCode,
  isFromProgram,
  isInterruption,
  isMessageEvent,
  isPrompt,
  isSynthetic,
  textIn,
} from "./claude-code-events.ts";
import { MessageReader } from "./claude-code-messages.ts";
import { pathOf } from "./claude-code-path.ts";
import { beginningOf, type Thread, threadsOf } from "./claude-code-threads.ts";
import { numberIn, present } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation } from "./format.ts";

const SHARED = [
  "sessionId",
  "session_id",
  "cwd",
  "version",
  "gitBranch",
  "userType",
  "entrypoint",
  "isSidechain",
  "slug",
  "teamName",
  "permissionMode",
];

/** A summary with a message is that message, written by the program. */
const withMessage = (event: LogEvent): LogEvent =>
  event.type === "summary" && isMessageEvent({ ...event, type: "user" })
    ? { ...event, type: "user", isCompactSummary: true }
    : event;

/** How a conversation ended: what the program that ran it says, or what its last event was. */
function endOf(events: readonly LogEvent[]): Pick<RecordedConversation, "status" | "error" | "cost"> {
  const result = events.findLast(({ type }) => type === "result");
  if (result !== undefined) {
    const isFailed = result.is_error === true || textOr(result.subtype, "success") !== "success";
    const error = isFailed ? textOr(result.result, textOr(result.subtype, undefined)) : undefined;
    return { status: isFailed ? "failed" : "succeeded", error, cost: numberIn(result.total_cost_usd) };
  }
  const last = events.findLast(isMessageEvent);
  if (last === undefined) return {};
  if (isInterruption(last)) return { status: "cancelled" };
  return isSynthetic(last) && last.isApiErrorMessage === true
    ? { status: "failed", error: textIn(last) }
    : {};
}

function taskOf(events: readonly LogEvent[], beginning: LogEvent | undefined): string | undefined {
  const prompt = events.find(isPrompt);
  if (prompt !== undefined) return textIn(prompt);
  if (isObject(beginning?.input) && typeof beginning.input.prompt === "string") return beginning.input.prompt;
  const said = events.filter(({ type }) => type === "user");
  const command = said.find((event) => !isFromProgram(event)) ?? said[0];
  const last = events.findLast(({ type }) => type === "last-prompt");
  return textOr(last?.lastPrompt, command === undefined ? undefined : textOr(textIn(command), undefined));
}

function conversationOf(
  thread: Thread,
  threads: readonly Thread[],
  context: ReadingContext,
): RecordedConversation {
  const { session, agent } = thread;
  const { events: path, left } = pathOf(thread.events);
  const shared = new SharedFields(agent === undefined ? SHARED : [...SHARED, "agentId"]);
  const { messages, events } = new MessageReader(shared, context).read(path);
  const beginning = agent === undefined ? undefined : beginningOf(thread, threads);
  const task = taskOf(path, beginning);
  if (left.length > 0)
    context.note(`${counted(left.length, "message")} of branches that the user left: kept with the metadata`);
  const models = messages.map(({ message }) => message.model).filter((model) => typeof model === "string");
  return {
    content: { session, agent, messages: messages.map(({ message }) => message) },
    messages,
    id: agent === undefined ? session : [session, agent].filter((name) => name !== undefined).join("/"),
    task,
    agent: "claude-code",
    ...(agent !== undefined && { tags: ["sub-agent"] }),
    ...endOf(path),
    metadata: present({
      ...shared.values,
      model: models[0],
      ...(agent !== undefined && { sub_agent: agent, parent_session: session, begun_by: beginning?.id }),
      events: events.length === 0 ? undefined : events,
      branches: left.length === 0 ? undefined : left,
    }),
  };
}

/** What is no message of any agent goes with the first conversation. */
function besideOf(threads: readonly Thread[], unread: unknown[], repeated: LogEvent[], exported: LogEvent[]) {
  const silent = threads.filter(({ events }) => !events.some(isMessageEvent)).flatMap(({ events }) => events);
  return {
    ...(silent.length > 0 && { other_events: silent }),
    ...(unread.length > 0 && { unread }),
    ...(repeated.length > 0 && { repeated }),
    ...(exported.length > 0 && { export: exported }),
  };
}

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const exported: LogEvent[] = [];
  const lines = values.flatMap((value) => {
    if (!isObject(value) || !Array.isArray(value.loglines)) return [value];
    const { loglines, ...rest } = value;
    if (Object.keys(rest).length > 0) exported.push(rest);
    return loglines as unknown[];
  });
  const { threads, unread, repeated } = threadsOf(
    lines.map((line) => (isObject(line) ? withMessage(line) : line)),
  );
  const spoken = threads.filter(({ events }) => events.some(isMessageEvent));
  if (spoken.length === 0)
    return `no message of a user or of Claude is in it; found ${counted(lines.length, "event")}`;
  if (unread.length > 0)
    context.note(`${counted(unread.length, "line")} without an event of Claude Code: kept with the metadata`);
  if (repeated.length > 0)
    context.note(`${counted(repeated.length, "line")} repeated by a resumed session: counted once`);
  const beside = besideOf(threads, unread, repeated, exported);
  const read = spoken.map((thread) => conversationOf(thread, threads, context));
  const [first, ...others] = read.filter(({ messages }) => messages.length > 0);
  if (first === undefined) return "no message in it can be read";
  const unreadable = read.filter(({ messages }) => messages.length === 0).map(({ metadata }) => metadata);
  const metadata = present({
    ...first.metadata,
    ...beside,
    unreadable: unreadable.length === 0 ? undefined : unreadable,
  });
  return [{ ...first, metadata }, ...others];
}

/** Sessions of Claude Code, as `~/.claude/projects` holds them; also what `--output-format stream-json` prints. */
export const claudeCode: Format = {
  name: "claude-code",
  translation: 1,
  about: "sessions of Claude Code (~/.claude/projects), sub-agents apart",
  masked: true,
  recognizes: isClaudeCode,
  // Events name their session, but for some: the whole file is looked at together.
  partOf: () => "file",
  read,
};
