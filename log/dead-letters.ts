import type { DeadLettered, Uuid } from "../schemas/generated/events.ts";
import { knownTopics, type Topic } from "../schemas/topics.ts";
import type { EventLog } from "./event-log.ts";

/** A record that a consumer could not apply, and that nobody has retried with success. */
export interface DeadLetter {
  /** Names the letter. */
  id: Uuid;
  /** The consumer that refused the record. */
  group: string;
  topic: Topic;
  partition: number;
  offset: number;
  sessionId: Uuid | null;
  /** The key of the record. */
  key: string;
  errorCode: string;
  error: string;
  /** When the log had taken the record. */
  at: Date;
}

const letterOf = (event: DeadLettered): DeadLetter => ({
  id: event.meta.event_id,
  group: event.group,
  topic: event.topic as Topic,
  partition: event.partition,
  offset: event.offset,
  sessionId: event.meta.session_id ?? null,
  key: event.learning_key,
  errorCode: event.error_code,
  error: event.error,
  at: new Date(event.meta.occurred_at / 1000),
});

/** Where a letter's record stands, in words. */
export const placeOf = ({
  group,
  topic,
  partition,
  offset,
}: Pick<DeadLetter, "group" | "offset" | "partition"> & { topic: string }) =>
  `${group} ${topic}[${partition}]@${offset}`;

/**
 * The records that consumers could not apply, as far as nobody retried them with success and their session was not
 * erased, in the order of their places.
 *
 * @example
 * for (const { group, topic, error } of await atlas.deadLetters.list()) console.log(group, topic, error);
 */
export async function listDeadLetters(log: EventLog): Promise<DeadLetter[]> {
  const letters = new Map<string, DeadLetter>();
  const erased = new Set<Uuid | null | undefined>();
  for await (const batch of log.read(["atlas.decisions", "atlas.dead-letters"])) {
    for (const { event } of batch) {
      if (event.type === "SessionErased") erased.add(event.meta.session_id);
      if (event.type === "DeadLettered") letters.set(placeOf(event), letterOf(event));
      if (event.type === "DeadLetterRetried") letters.delete(placeOf(event));
    }
  }
  const order = ({ group, topic, partition }: DeadLetter): string =>
    `${group} ${knownTopics().indexOf(topic)} ${partition}`;
  return [...letters.values()]
    .filter(({ sessionId }) => sessionId === null || !erased.has(sessionId))
    .sort((a, b) => order(a).localeCompare(order(b)) || a.offset - b.offset);
}
