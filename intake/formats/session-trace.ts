import { isObject } from "../../traces/clean-text.ts";
import { textOf } from "../chat/message.ts";
import { counted, type LogEvent, restOf, resultsBehindCalls, textOr } from "./agent-log.ts";
import { isTree, pathTo, type TreeNode } from "./event-tree.ts";
import { present } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedMessage } from "./format.ts";
import { isFailedAnswer, messagesOf } from "./session-trace-messages.ts";

const isHeader = (value: unknown): value is LogEvent =>
  isObject(value) && value.type === "session" && typeof value.id === "string";

const isEntry = (value: unknown): value is LogEvent => isObject(value) && typeof value.type === "string";

/** A line with a message, as Pi writes it: a trace of another harness begins with its header. */
const isPiMessage = (value: unknown): boolean =>
  isObject(value) &&
  value.type === "message" &&
  isObject(value.message) &&
  typeof value.message.role === "string" &&
  ("parentId" in value || "timestamp" in value);

const nodeOf = ({ id, parentId }: LogEvent): TreeNode => ({
  id: textOr(id, undefined),
  parent: textOr(parentId, undefined),
  isRoot: parentId === null,
});

/** The entries that lead to the last one; Pi begins another branch where the user goes back. */
function pathOf(entries: readonly LogEvent[]): { path: LogEvent[]; left: LogEvent[] } {
  const nodes = entries.map(nodeOf);
  if (entries.length === 0 || !isTree(nodes)) return { path: [...entries], left: [] };
  const path = pathTo(nodes, entries.length - 1);
  return {
    path: entries.filter((_, index) => path.has(index)),
    left: entries.filter((_, index) => !path.has(index)),
  };
}

/** How the last answer ended. */
function endOf(path: readonly LogEvent[]): Pick<RecordedConversation, "status" | "error"> {
  const last = path.findLast(({ message }) => isObject(message))?.message as LogEvent | undefined;
  if (last?.stopReason === "aborted")
    return { status: "cancelled", error: textOr(last.errorMessage, undefined) };
  if (last !== undefined && isFailedAnswer(last))
    return { status: "failed", error: textOr(last.errorMessage, undefined) };
  return {};
}

/** Reads one session: its header, and what was said in it. */
function sessionOf(
  header: LogEvent,
  values: readonly unknown[],
  context: ReadingContext,
): RecordedConversation | undefined {
  const unread = values.filter((value) => !isEntry(value));
  const { path, left } = pathOf(values.filter(isEntry));
  const events: LogEvent[] = [];
  const program = textOr(header.harness, "pi");
  const turns = path.flatMap((entry): RecordedMessage[] => {
    const read = messagesOf(entry, program, context);
    if (read === undefined) events.push(entry);
    return read ?? [];
  });
  if (turns.length === 0) return undefined;
  const tellKept = (count: number, what: string, why: string): void => {
    if (count > 0) context.note(`${counted(count, what)} ${why}: kept with the metadata`);
  };
  tellKept(left.length, "line", "of branches that the user left");
  tellKept(unread.length, "line", "without an entry of a session");
  const messages = resultsBehindCalls(turns);
  const startedAt = context.timeOf(header.timestamp, "timestamp");
  const asked = messages.find(({ message }) => message.role === "user" && textOf(message));
  const name = events.find(({ type }) => type === "session_info")?.name;
  const model = messages.map(({ message }) => message.model).find((each) => typeof each === "string");
  return {
    content: { session: header.id, messages: messages.map(({ message }) => message) },
    messages,
    id: textOr(header.id, undefined),
    task: asked === undefined ? textOr(header.name ?? name, undefined) : undefined,
    agent: program,
    ...endOf(path),
    startedAt,
    metadata: present({
      ...restOf(header, "type", "id", ...(startedAt === undefined ? [] : ["timestamp"])),
      model: header.model === undefined ? model : undefined,
      events: events.length === 0 ? undefined : events,
      branches: left.length === 0 ? undefined : left,
      unread: unread.length === 0 ? undefined : unread,
    }),
  };
}

/** A header begins a session; without one, the file is one. */
function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const sessions: { header: LogEvent; values: unknown[] }[] = [];
  for (const value of values) {
    if (isHeader(value)) sessions.push({ header: value, values: [] });
    else if (sessions.length === 0) sessions.push({ header: {}, values: [value] });
    else sessions.at(-1)!.values.push(value);
  }
  const found = sessions.flatMap(({ header, values: own }) => sessionOf(header, own, context) ?? []);
  const silent = sessions.length - found.length;
  if (found.length === 0) return `no message is in it; found ${counted(values.length, "line")}`;
  if (silent > 0) context.note(`${counted(silent, "session")} without a message`);
  return found;
}

const COMMON = { translation: 1, masked: true, partOf: () => "file", read } as const;

/** Sessions of the coding agent Pi, as `~/.pi/agent/sessions` holds them. */
export const pi: Format = {
  ...COMMON,
  name: "pi",
  about: "sessions of the coding agent Pi (~/.pi/agent/sessions)",
  recognizes: (value) => (isHeader(value) && value.harness === undefined) || isPiMessage(value),
};

/** Session traces as the Hugging Face Hub shows them: a header that names the harness, then messages. */
export const sessionTraces: Format = {
  ...COMMON,
  name: "session-trace",
  about: "session traces of the Hugging Face Hub (STS): a header with its harness, then messages",
  recognizes: (value) => isHeader(value) && typeof value.harness === "string",
};
