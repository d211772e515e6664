import type { EventLog, LogRecord } from "../log/event-log.ts";
import { Repetitions } from "../log/runner/repetitions.ts";
import type { AtlasEvent, EventOf, EventType } from "../schemas/generated/events.ts";
import type { Topic } from "../schemas/topics.ts";

/**
 * The records of topics as those count them who read them: what a source has said before is left out. After a lost
 * answer or a change of owners a record may stand on the wire twice.
 */
export async function recordsOf(log: Pick<EventLog, "read">, topics: readonly Topic[]): Promise<LogRecord[]> {
  const repetitions = new Repetitions();
  const records: LogRecord[] = [];
  for await (const batch of log.read(topics))
    for (const record of batch) if (repetitions.isNew(record)) records.push(record);
  return records;
}

/** The events of {@link recordsOf}, in the order in which one reads them. */
export async function eventsIn(
  log: Pick<EventLog, "read">,
  ...topics: readonly Topic[]
): Promise<AtlasEvent[]> {
  return (await recordsOf(log, topics)).map(({ event }) => event);
}

/** Those of a type. */
export async function eventsOf<T extends EventType>(
  log: Pick<EventLog, "read">,
  topic: Topic,
  type: T,
): Promise<EventOf<T>[]> {
  return (await eventsIn(log, topic)).filter((event): event is EventOf<T> => event.type === type);
}
