import { listDeadLetters } from "../log/dead-letters.ts";
import type { EventLog, LogRecord } from "../log/event-log.ts";

/** Tells which records a consumer refused, and nobody has retried with success: they are no part of its state. */
export async function setAsideBy(log: EventLog, group: string): Promise<(record: LogRecord) => boolean> {
  const places = new Set(
    (await listDeadLetters(log))
      .filter((letter) => letter.group === group)
      .map(({ topic, partition, offset }) => `${topic}/${partition}/${offset}`),
  );
  return ({ topic, partition, offset }) => places.has(`${topic}/${partition}/${offset}`);
}
