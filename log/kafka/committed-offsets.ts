import { openClient } from "./client.ts";
import type { KafkaSettings } from "./settings.ts";

const RETRIES = 5;

/** The offsets that a group has committed, by `topic/partition`; what it has not is left out. */
export async function committedOffsets(
  settings: KafkaSettings,
  groupId: string,
  topics: readonly string[],
): Promise<Map<string, number>> {
  // kafkajs only learns who coordinates a group while it repeats the question.
  const client = openClient(settings, RETRIES);
  try {
    const admin = client.kafka.admin();
    await admin.connect();
    const found = await admin.fetchOffsets({ groupId, topics: [...topics] });
    const offsets = new Map<string, number>();
    for (const { topic, partitions } of found) {
      for (const { partition, offset } of partitions) {
        if (Number(offset) >= 0) offsets.set(`${topic}/${partition}`, Number(offset));
      }
    }
    return offsets;
  } finally {
    client.destroy();
  }
}
