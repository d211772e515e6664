import type { EventLog } from "../log/event-log.ts";
import { DERIVED_TOPICS } from "../schemas/topics.ts";

/**
 * Whether a log on Kafka holds anything derived. A database that has no processor yet is then a second one on that log, or a
 * new one in the place of the first. A log on Postgres has one database.
 */
export async function answeredElsewhere(log: EventLog): Promise<boolean> {
  if (log.kind !== "kafka") return false;
  for (const ends of (await log.ends(DERIVED_TOPICS)).values()) if (ends.some((end) => end > 0)) return true;
  return false;
}
