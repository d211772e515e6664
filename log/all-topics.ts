import { TOPICS, type Topic } from "../schemas/topics.ts";
import type { EventLog } from "./event-log.ts";

/** Every topic of a log: those of Atlas, and after them those of the events that users defined. */
export async function allTopics(log: Pick<EventLog, "definitions">): Promise<Topic[]> {
  return [...new Set<Topic>([...TOPICS, ...(await log.definitions()).map(({ topic }) => topic)])];
}
