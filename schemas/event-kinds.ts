import type { DefinedEvent, EventDefinition } from "./define-event.ts";
import type { EventDescription } from "./event-definitions.ts";
import type { EventOf, EventType } from "./generated/events.ts";
import { type Topic, topicOf } from "./topics.ts";

/** A kind of event: one of Atlas by its name, one of your own by its definition. */
export type EventKind = EventType | EventDefinition;

/** An event of such a kind. */
export type EventOfKind<K extends EventKind> = K extends EventType
  ? EventOf<K>
  : K extends EventDefinition<infer Type, infer Fields>
    ? DefinedEvent<Type, Fields>
    : never;

/** The types of kinds of events. */
export const typesOf = (kinds: readonly EventKind[]): string[] =>
  kinds.map((kind) => (typeof kind === "string" ? kind : kind.type));

/** The topics of kinds of events, each once. */
export const topicsOf = (kinds: readonly EventKind[]): Topic[] => [
  ...new Set(kinds.map((kind) => (typeof kind === "string" ? topicOf(kind) : kind.topic))),
];

/** Those that users defined. */
export const definedAmong = (kinds: readonly EventKind[]): EventDescription[] =>
  kinds.filter((kind) => typeof kind !== "string");
