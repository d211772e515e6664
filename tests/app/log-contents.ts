import type { EventLog } from "../../log/event-log.ts";
import { TOPICS } from "../../schemas/topics.ts";

/** Every record of a log with its place and its bytes, a line each. */
export async function contentsOf(log: EventLog): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of log.readRaw(TOPICS)) {
    for (const { topic, partition, offset, key, fingerprint, body } of batch)
      lines.push(`${topic}[${partition}]@${offset} ${key} ${fingerprint} ${body.toString("base64")}`);
  }
  return lines;
}
