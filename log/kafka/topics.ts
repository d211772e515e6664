import kafkajs, { type Admin } from "kafkajs";
import { AtlasError } from "../../errors/atlas-error.ts";
import { type RetryOptions, retry } from "../../errors/retry.ts";
import { DEFAULT_PARTITIONS } from "../../schemas/partition.ts";
import { TOPICS } from "../../schemas/topics.ts";
import { rootOf } from "./failures.ts";
import type { KafkaSettings } from "./settings.ts";

/** Holds one record: the name of the log's contents. */
export const LOG_ID_TOPIC = "atlas.log";

/** A batch holds at most one event of 900 KiB or 500 events of 512 KiB together, with their headers. */
const MESSAGE_BYTES = 2 * 1024 * 1024;

interface Setting {
  name: string;
  value: string;
  /** In words; the value unless told. */
  wanted?: string;
  fits: (found: string) => boolean;
}

const exactly = (name: string, value: string): Setting => ({ name, value, fits: (found) => found === value });

/** What keeps every record for ever, tells append times, and takes the largest batch. */
const SETTINGS: readonly Setting[] = [
  exactly("retention.ms", "-1"),
  exactly("retention.bytes", "-1"),
  exactly("cleanup.policy", "delete"),
  exactly("message.timestamp.type", "LogAppendTime"),
  {
    name: "max.message.bytes",
    value: String(MESSAGE_BYTES),
    wanted: `${MESSAGE_BYTES} or more`,
    fits: (found) => Number(found) >= MESSAGE_BYTES,
  },
  {
    name: "compression.type",
    value: "producer",
    wanted: "producer, uncompressed or gzip",
    fits: (found) => ["producer", "uncompressed", "gzip"].includes(found),
  },
];

const NAMES: readonly string[] = [...TOPICS, LOG_ID_TOPIC];
/** Brokers learn of a new topic a moment after it was created. */
const METADATA_PATIENCE: RetryOptions = {
  firstMs: 50,
  longestMs: 250,
  tries: 20,
  passes: (error) =>
    ["LEADER_NOT_AVAILABLE", "UNKNOWN_TOPIC_OR_PARTITION"].includes(rootOf(error).type ?? ""),
};

/**
 * Creates the topics that are missing and checks the others.
 *
 * @returns the number of partitions of every topic
 * @throws AtlasError ATLAS_LOG_MISCONFIGURED naming the topic, what was found and what is wanted
 */
export async function prepareTopics(admin: Admin, settings: KafkaSettings): Promise<number> {
  const present = new Set(await admin.listTopics());
  const missing = NAMES.filter((name) => !present.has(settings.prefix + name));
  const existing = TOPICS.filter((name) => present.has(settings.prefix + name));
  const found = existing.length === 0 ? undefined : await countPartitions(admin, settings, existing);
  const wanted = settings.partitions ?? found?.values().next().value ?? DEFAULT_PARTITIONS;
  for (const [topic, count] of found ?? []) {
    if (count !== wanted) throw wrong(topic, "partitions", String(count), String(wanted));
  }
  if (missing.length > 0) {
    if (!settings.create)
      throw wrong(settings.prefix + missing[0]!, "existence", "no such topic", "the topic");
    await create(admin, settings, missing, wanted);
    // Another process may have created them at the same time, with another number of partitions.
    for (const [topic, count] of await countPartitions(admin, settings, TOPICS)) {
      if (count !== wanted) throw wrong(topic, "partitions", String(count), String(wanted));
    }
  }
  await checkSettings(admin, settings);
  return wanted;
}

async function countPartitions(
  admin: Admin,
  settings: KafkaSettings,
  names: readonly string[],
): Promise<Map<string, number>> {
  const topics = names.map((name) => settings.prefix + name);
  const metadata = await retry(() => admin.fetchTopicMetadata({ topics }), METADATA_PATIENCE);
  const counts = new Map(metadata.topics.map(({ name, partitions }) => [name, partitions.length]));
  return new Map(topics.map((name) => [name, counts.get(name) ?? 0]));
}

async function create(
  admin: Admin,
  settings: KafkaSettings,
  names: readonly string[],
  partitions: number,
): Promise<void> {
  const attempt = (replicationFactor: number): Promise<boolean> =>
    admin.createTopics({
      topics: names.map((name) => ({
        topic: settings.prefix + name,
        numPartitions: name === LOG_ID_TOPIC ? 1 : partitions,
        replicationFactor,
        configEntries: SETTINGS.map((setting) => ({ name: setting.name, value: setting.value })),
      })),
    });
  try {
    await attempt(settings.replicationFactor ?? -1);
  } catch (error) {
    if (settings.replicationFactor !== undefined || !refusesDefaultReplication(error)) throw error;
    await attempt(1);
  }
}

function refusesDefaultReplication(error: unknown): boolean {
  const errors = (error as { errors?: unknown[] }).errors ?? [error];
  return errors.some((each) => rootOf(each).type === "INVALID_REPLICATION_FACTOR");
}

async function checkSettings(admin: Admin, settings: KafkaSettings): Promise<void> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: NAMES.map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name: settings.prefix + name,
      configNames: SETTINGS.map((setting) => setting.name),
    })),
  });
  for (const { resourceName, configEntries } of resources) {
    for (const setting of SETTINGS) {
      const found = configEntries.find((entry) => entry.configName === setting.name)?.configValue;
      if (found !== undefined && !setting.fits(found))
        throw wrong(resourceName, setting.name, found, setting.wanted ?? setting.value);
    }
  }
}

function wrong(topic: string, what: string, found: string, wanted: string): AtlasError {
  const hint =
    what === "partitions"
      ? "The number is fixed when a log is created: leave it out."
      : what === "existence"
        ? "Let it be created (create: true), or create it with the settings that the documentation lists."
        : `Set ${what} of the topic to ${wanted}.`;
  return new AtlasError(
    "ATLAS_LOG_MISCONFIGURED",
    `the ${what} of ${topic}: found ${found}, wanted ${wanted}`,
    {
      where: topic,
      hint,
    },
  );
}
