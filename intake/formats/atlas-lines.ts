import { encodeEvent } from "../../schemas/codec.ts";
import type { AtlasEvent, SessionStarted } from "../../schemas/generated/events.ts";
import { isUuid } from "../../schemas/identity.ts";
import { topicOf } from "../../schemas/topics.ts";
import { isObject, jsonValue } from "../../traces/clean-text.ts";
import { fromTrajectoryEvent, type TrajectoryEvent } from "../../traces/trajectory-event.ts";
import type { ChatMessage } from "../chat/message.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import { listIn, textIn } from "./fields.ts";
import type { Format, ReadingContext, RecordedConversation, RecordedScore } from "./format.ts";

const OF_PYTHON = "it is a session of the Python SDK: import it with --from-jsonl FILE";

/** What Atlas says of an event of its own, which others do not. */
const isOurs = (item: unknown): item is { event: TrajectoryEvent } => {
  const event = isObject(item) && isObject(item.event) ? item.event : {};
  const metadata = isObject(event.payload) ? event.payload.metadata : undefined;
  return isObject(metadata) && typeof metadata.event === "string" && typeof metadata.sequence === "number";
};

/** The event as it was in its log; undefined where this version knows none such. */
function eventOf({ event: row }: { event: TrajectoryEvent }, sessionId: string): AtlasEvent | undefined {
  try {
    const event = fromTrajectoryEvent(row, sessionId);
    encodeEvent(event);
    return event.type === "ContentContinued" || topicOf(event.type) !== "atlas.sessions" ? undefined : event;
  } catch {
    return undefined;
  }
}

/** The session's own events by their sequence, then what others said of it. */
function inOrder(events: readonly AtlasEvent[], sessionId: string): AtlasEvent[] {
  const isOwn = ({ meta }: AtlasEvent): boolean => meta.source === sessionId;
  const own = events.filter(isOwn).sort((one, other) => one.meta.sequence - other.meta.sequence);
  return [...own, ...events.filter((event) => !isOwn(event))];
}

function messagesIn(events: readonly AtlasEvent[]): ChatMessage[] {
  return events
    .filter((event) => event.type === "MessageRecorded")
    .map(({ message }) => jsonValue(message))
    .filter((message): message is ChatMessage & Record<string, unknown> => isObject(message));
}

const scoresIn = (events: readonly AtlasEvent[]): RecordedScore[] =>
  events
    .filter((event) => event.type === "JudgementMade")
    .filter(({ scope }) => scope === "session")
    .map(({ judge, score }) => ({ judge, score }));

const asRecorded = (line: unknown, events: AtlasEvent[], started: SessionStarted): RecordedConversation => ({
  content: line,
  session: events,
  messages: messagesIn(events).map((message) => ({ message })),
  task: started.task,
  tools: toolDefinitions(started.tools),
  scores: scoresIn(events),
  agent: started.agent,
  groupId: started.group_id ?? undefined,
});

function read([value]: readonly unknown[], { note }: ReadingContext): RecordedConversation[] | string {
  const line = value as Record<string, unknown>;
  const items = listIn(line.trajectory_events) ?? [];
  const { session_id, review_status } = isObject(line.session_metadata) ? line.session_metadata : {};
  if (!items.some(isOurs)) return OF_PYTHON;
  const sessionId = textIn(session_id);
  if (sessionId === undefined || !isUuid(sessionId)) return "session_metadata.session_id is no UUID";
  const events: AtlasEvent[] = [];
  for (const [index, item] of items.entries()) {
    const event = isOurs(item) ? eventOf(item, sessionId) : undefined;
    if (event === undefined)
      return `trajectory_events[${index}] is no event of a session that this version knows`;
    events.push(event);
  }
  const ordered = inOrder(events, sessionId);
  const [started] = ordered;
  if (started?.type !== "SessionStarted")
    return "trajectory_events does not begin with the start of the session";
  if (review_status !== undefined && review_status !== "pending")
    note("whether it was approved is decided anew in this log");
  return [asRecorded(line, ordered, started)];
}

/** Lines that `atlas export` writes: they hold every event of a session, which comes back as the very same. */
export const atlasLines: Format = {
  name: "atlas",
  translation: 1,
  about: "lines that atlas export writes: the same sessions again, with their ids and times",
  recognizes: (value) =>
    isObject(value) && Array.isArray(value.trajectory_events) && isObject(value.session_metadata),
  read,
};
