import { randomUUID } from "node:crypto";
import { AtlasError } from "../../errors/atlas-error.ts";
import { isUuid } from "../../schemas/identity.ts";
import { openClient } from "./client.ts";
import type { Fetcher } from "./fetcher.ts";
import type { KafkaSettings } from "./settings.ts";
import { LOG_ID_TOPIC } from "./topics.ts";

const LIMITS = { maxWaitMs: 100, bytesPerPartition: 1024 };

/** What a log on Kafka says of itself, for good. */
export interface LogIdentity {
  /** Names the log's contents. */
  id: string;
  /** Partitions of every topic; undefined where the record does not say. */
  partitions: number | undefined;
}

/** In a header, so that the value stays the name alone. */
const PARTITIONS = "atlas-partitions";

/**
 * What the log says of itself: the first record of a topic of its own. A log whose topics were deleted and created again
 * has another id, which neither the cluster's id nor the topics' names would tell; and keys stay where they are only as
 * long as the log has as many partitions.
 *
 * @returns undefined for a log that has no such record yet
 */
export async function readIdentity(
  settings: KafkaSettings,
  fetcher: Fetcher,
): Promise<LogIdentity | undefined> {
  const topic = settings.prefix + LOG_ID_TOPIC;
  const [end] = (await fetcher.ends([topic], 1)).get(topic) ?? [];
  if (end === undefined || end <= 0) return undefined;
  const [fetched] = await fetcher.fetch([{ topic, partition: 0, offset: 0 }], LIMITS);
  const message = fetched?.messages[0];
  const id = message?.value?.toString() ?? "";
  const partitions = Number(message?.headers[PARTITIONS]?.toString());
  if (isUuid(id)) return { id, partitions: Number.isInteger(partitions) ? partitions : undefined };
  throw new AtlasError("ATLAS_LOG_MISCONFIGURED", `the first record of ${topic} does not name the log`, {
    where: topic,
    hint: "The topic belongs to the log alone: use another topicPrefix, or restore it.",
  });
}

/** Gives the log an identity, unless another process was first: the first record counts. */
export async function writeIdentity(
  settings: KafkaSettings,
  fetcher: Fetcher,
  partitions: number,
): Promise<LogIdentity> {
  const client = openClient(settings);
  try {
    const producer = client.kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: () => () => 0,
    });
    await producer.connect();
    await producer.send({
      topic: settings.prefix + LOG_ID_TOPIC,
      acks: -1,
      messages: [{ value: randomUUID(), headers: { [PARTITIONS]: String(partitions) } }],
    });
    await producer.disconnect();
  } finally {
    client.destroy();
  }
  return (await readIdentity(settings, fetcher))!;
}
