import { isObject } from "../../traces/clean-text.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { contentHash } from "../exact-json.ts";
import { Known, withoutEmpty } from "../spans/known.ts";
import { textIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedMessage } from "./format.ts";
import { type ManagedEvent, managedTurns } from "./managed-turns.ts";

const CALL = /^client\.beta\.(sessions|agents|environments)\b/;
const EVENT = /^(user|agent|session|span)\.[a-z_]+$/;

const isCall = (value: unknown): value is unknown[] =>
  Array.isArray(value) && typeof value[0] === "string" && CALL.test(value[0]);

const isEvent = (value: unknown): value is ManagedEvent =>
  isObject(value) &&
  typeof value.type === "string" &&
  EVENT.test(value.type) &&
  textIn(value.id) !== undefined;

/** What is known of a session: how it was set up, what was sent to it, and what came of it. */
interface Session {
  id: string | undefined;
  setUp: Record<string, unknown>;
  events: ManagedEvent[];
  /** Names of the calls of the client that were recorded. */
  calls: Set<string>;
  /** Other calls of the client, as they were recorded. */
  others: unknown[];
}

/** Whether an event that was sent came back: with an id, and the time at which it was taken. */
const isEcho = (sent: ManagedEvent, event: ManagedEvent): boolean =>
  Object.entries(sent).every(
    ([name, value]) => event[name] !== undefined && contentHash(event[name]) === contentHash(value),
  );

function sessionsIn(values: readonly unknown[]): Session[] {
  const sessions: Session[] = [];
  const of = (id?: string): Session => {
    const known = id === undefined ? sessions.at(-1) : sessions.find((session) => session.id === id);
    if (known !== undefined) return known;
    const session: Session = { id, setUp: {}, events: [], calls: new Set(), others: [] };
    sessions.push(session);
    return session;
  };
  for (const value of values) {
    if (isEvent(value)) of().events.push(value);
    else if (isCall(value)) {
      const [name, given] = value as [string, unknown];
      const session = of(sessionOf(given));
      session.calls.add(name);
      if (isEvent(given)) session.events.push(given);
      else if (Array.isArray(given) && isObject(given[1]))
        for (const each of eventsIn(given[1])) session.events.push(each);
      else if (isObject(given) && given.type === "session") session.setUp = given;
      else session.others.push(value);
    }
  }
  return sessions;
}

/** The session that a call names: it gave it, or was told of it. */
const sessionOf = (given: unknown): string | undefined => {
  if (Array.isArray(given)) return textIn(given[0]);
  return isObject(given) && given.type === "session" ? textIn(given.id) : undefined;
};

const eventsIn = ({ events }: Record<string, unknown>): ManagedEvent[] =>
  Array.isArray(events) ? (events as unknown[]).filter(isObject) : [];

/** Events without those that were sent and came back. */
const withoutEchoes = (events: readonly ManagedEvent[]): ManagedEvent[] =>
  events.filter(
    (event, index) =>
      event.id !== undefined ||
      !events.some((other, at) => at > index && other.id !== undefined && isEcho(event, other)),
  );

/** The events of the first thread: the others are of agents that it asked. */
function ofFirstThread(events: readonly ManagedEvent[]): ManagedEvent[] {
  const first = events.map(({ session_thread_id }) => session_thread_id).find((id) => id != null);
  return events.filter(({ session_thread_id: id }) => id == null || id === first);
}

function toolsOf(agent: Record<string, unknown>) {
  const tools = Array.isArray(agent.tools) ? (agent.tools as unknown[]).filter(isObject) : [];
  const own = tools.filter(({ type }) => type === "custom").map(({ type: _, ...tool }) => tool);
  return toolDefinitions(own);
}

/** Why the session failed; undefined where it did not. */
function errorOf(events: readonly ManagedEvent[]): string | undefined {
  const stopped = events.findLast(({ type }) => type === "session.status_idle")?.stop_reason;
  const reason = isObject(stopped) ? textIn(stopped.type) : undefined;
  const error = events.findLast(({ type }) => type === "session.error")?.error;
  const isLast =
    events.at(-1)?.type === "session.error" || events.at(-1)?.type === "session.status_terminated";
  if (reason !== "retries_exhausted" && !isLast) return undefined;
  return (isObject(error) ? textIn(error.message) : textIn(error)) ?? reason ?? "the session was terminated";
}

function conversationOf(session: Session, context: ReadingContext): RecordedConversation | undefined {
  const events = withoutEchoes(session.events);
  const main = ofFirstThread(events);
  const turns = managedTurns(main, context);
  if (turns.length === 0) return undefined;
  if (main.length < events.length)
    context.note("events of other agents' threads: they are kept with the metadata");
  const agent = isObject(session.setUp.agent) ? session.setUp.agent : {};
  const system = textIn(agent.system);
  const messages: RecordedMessage[] = [
    ...(system === undefined ? [] : [{ message: { role: "system" as const, content: system } }]),
    ...turns,
  ];
  const known = new Known();
  known.add(messages.map(({ message }) => message));
  const tools = toolsOf(agent);
  known.add(tools);
  const error = errorOf(main);
  return {
    content: { session: session.id, events },
    messages,
    id: session.id,
    tools,
    status: error === undefined ? undefined : "failed",
    error,
    startedAt: context.timeOf(session.setUp.created_at, "created_at"),
    endedAt: context.timeOf(main.at(-1)?.processed_at, "processed_at"),
    agent: textIn(agent.name) ?? (isObject(agent.model) ? textIn(agent.model.id) : textIn(agent.model)),
    metadata: withoutEmpty({
      session: known.unknownOf(session.setUp),
      events: events.map((event) => known.unknownOf(event)).filter((left) => left !== undefined),
      calls: [...session.calls],
      other_calls: session.others,
    }),
  };
}

/** Sessions of Anthropic's managed agents: their events, as they are streamed or as calls of a client were recorded. */
export const managedAgents: Format = {
  name: "managed-agents",
  translation: 1,
  about: "sessions of Anthropic's managed agents: an event a line, or a call of the client with what it gave",
  recognizes: (value) => isCall(value) || isEvent(value),
  partOf: () => "events",
  read(values, context) {
    const sessions = sessionsIn(values);
    const found = sessions.flatMap((session) => conversationOf(session, context) ?? []);
    if (found.length > 0) return found;
    const kinds = sessions.reduce((count, { events }) => count + events.length, 0);
    return `no message is among its events (${kinds})`;
  },
};
