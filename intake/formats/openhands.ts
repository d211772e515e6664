import { isObject } from "../../traces/clean-text.ts";
import type { Format, ReadingContext, RecordedConversation } from "./format.ts";
import { isEvent } from "./openhands-event.ts";
import { turnsOfEvents } from "./openhands-events.ts";
import { isSdkEvent, turnsOfSdkEvents } from "./openhands-sdk-events.ts";
import { type Event, recordedMessages, type Turns } from "./openhands-turns.ts";

/** The events of one conversation; those of the first generation count from 0 in each. */
function conversationsIn(events: readonly Event[]): Event[][] {
  const found: Event[][] = [];
  let last = Number.POSITIVE_INFINITY;
  for (const event of events) {
    const id = typeof event.id === "number" ? event.id : last + 1;
    if (id <= last && (found.length === 0 || typeof event.id === "number")) found.push([]);
    found.at(-1)!.push(event);
    last = id;
  }
  return found;
}

/** What events of either generation come to. */
export const turnsOf = (events: readonly Event[]): Turns =>
  events.some(isSdkEvent) ? turnsOfSdkEvents(events) : turnsOfEvents(events);

function conversationOf(events: readonly Event[], context: ReadingContext): RecordedConversation | string {
  const found = turnsOf(events);
  const messages = recordedMessages(found, context);
  if (messages.length === 0) return "there is nothing said in these events";
  return {
    content: events,
    messages,
    tools: found.tools,
    ...found.end,
    agent: found.model,
    cost: found.cost,
    metadata: found.beside.length === 0 ? undefined : { events: found.beside },
  };
}

const eventsIn = (value: unknown): unknown[] =>
  isObject(value) && Array.isArray(value.trajectory) ? (value.trajectory as unknown[]) : [value];

function read(values: readonly unknown[], context: ReadingContext): RecordedConversation[] | string {
  const events = values.flatMap(eventsIn).filter(isObject);
  const found: RecordedConversation[] = [];
  let problem = "there are no events";
  for (const own of conversationsIn(events)) {
    const conversation = conversationOf(own, context);
    if (typeof conversation === "string") problem = conversation;
    else found.push(conversation);
  }
  return found.length === 0 ? problem : found;
}

/** Other logs have actions as well: these say who acted, and with what. */
const isAnyEvent = (value: unknown): boolean =>
  isSdkEvent(value) ||
  (isEvent(value) && typeof value.source === "string" && (isObject(value.args) || "content" in value));

/** Events that OpenHands saves of a conversation, one a value. */
export const openhands: Format = {
  name: "openhands",
  translation: 1,
  about: "events of an OpenHands conversation: a saved trajectory",
  recognizes: (value) =>
    isAnyEvent(value) ||
    (isObject(value) &&
      Array.isArray(value.trajectory) &&
      value.trajectory.length > 0 &&
      isAnyEvent(value.trajectory[0])),
  partOf: () => "events",
  read,
};
