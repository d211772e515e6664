declare const brand: unique symbol;

/** A topic of events that users defined. `defineEvent` makes the only ones. */
export type UserTopic = string & { readonly [brand]: "topic" };

/** What the log has to know of an event that a user defined. */
export interface EventDescription {
  /** Its full name, such as `acme.TenantCost`. */
  readonly type: string;
  readonly topic: UserTopic;
  /** The field whose text decides the partition; the session where there is none. */
  readonly key: string | undefined;
  readonly fingerprint: string;
  /** The Avro schema of its latest version, as JSON text. */
  readonly schema: string;
}

/** All events that users have defined in this process, by type: a type means one thing, as schemas of a registry do. */
const descriptions = new Map<string, EventDescription>();

/** What a user defined under that name, if anything. */
export const descriptionOf = (type: string): EventDescription | undefined => descriptions.get(type);

/** Every event that users have defined. */
export const eventDescriptions = (): EventDescription[] => [...descriptions.values()];

/** Every topic of events that users have defined, each once. */
export const userTopics = (): UserTopic[] => [
  ...new Set([...descriptions.values()].map(({ topic }) => topic)),
];

/** Types that are known from a log alone: a program may still define them. */
const fromLogs = new Set<string>();

/** Says whether a program has defined that type. */
export const isDefined = (type: string): boolean => descriptions.has(type) && !fromLogs.has(type);

/** Remembers a definition. Only `defineEvent` calls it, after it has checked that the type is new or means the same. */
export function rememberDescription(description: EventDescription): void {
  fromLogs.delete(description.type);
  descriptions.set(description.type, description);
}

/** Remembers what a log says of an event that this program does not define, so that it can be read here. */
export function rememberFromLog(description: EventDescription): void {
  if (isDefined(description.type)) return;
  fromLogs.add(description.type);
  descriptions.set(description.type, description);
}
