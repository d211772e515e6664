import { randomUUID } from "node:crypto";
import { AtlasError } from "../../errors/atlas-error.ts";
import { isUuid } from "../../schemas/identity.ts";
import { openClient } from "./client.ts";
import type { Fetcher } from "./fetcher.ts";
import type { KafkaSettings } from "./settings.ts";
import { LOG_ID_TOPIC } from "./topics.ts";

const LIMITS = { maxWaitMs: 100, bytesPerPartition: 1024 };

/**
 * The name of the log's contents: the first record of a topic of its own. A log whose topics were deleted and created
 * again has another one, which neither the cluster's id nor the topics' names would tell.
 */
export async function logIdOf(settings: KafkaSettings, fetcher: Fetcher): Promise<string> {
  return (await readId(settings, fetcher)) ?? (await writeId(settings, fetcher));
}

async function readId(settings: KafkaSettings, fetcher: Fetcher): Promise<string | undefined> {
  const topic = settings.prefix + LOG_ID_TOPIC;
  const [end] = (await fetcher.ends([topic], 1)).get(topic) ?? [];
  if (end === undefined || end <= 0) return undefined;
  const [fetched] = await fetcher.fetch([{ topic, partition: 0, offset: 0 }], LIMITS);
  const id = fetched?.messages[0]?.value?.toString() ?? "";
  if (isUuid(id)) return id;
  throw new AtlasError("ATLAS_LOG_MISCONFIGURED", `the first record of ${topic} does not name the log`, {
    where: topic,
    hint: "The topic belongs to the log alone: use another topicPrefix, or restore it.",
  });
}

/** Two processes may write at once: the first record counts. */
async function writeId(settings: KafkaSettings, fetcher: Fetcher): Promise<string> {
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
      messages: [{ value: randomUUID() }],
    });
    await producer.disconnect();
  } finally {
    client.destroy();
  }
  return (await readId(settings, fetcher))!;
}
