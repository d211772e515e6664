import kafkajs, { type Admin } from "kafkajs";
import { AtlasError } from "../../errors/atlas-error.ts";
import { type RetryOptions, retry } from "../../errors/retry.ts";
import { DEFAULT_PARTITIONS } from "../../schemas/partition.ts";
import { TOPICS } from "../../schemas/topics.ts";
import { rootOf } from "./failures.ts";
import type { KafkaSettings } from "./settings.ts";
import { SETTINGS } from "./topic-settings.ts";

/** Holds one record: the log's identity. */
export const LOG_ID_TOPIC = "atlas.log";

/** All topics of a log, without its prefix. */
export const LOG_TOPICS: readonly string[] = [...TOPICS, LOG_ID_TOPIC];
/** Brokers learn of a new topic a moment after it was created. */
const METADATA_PATIENCE: RetryOptions = {
  firstMs: 50,
  longestMs: 250,
  tries: 20,
  passes: (error) =>
    ["LEADER_NOT_AVAILABLE", "UNKNOWN_TOPIC_OR_PARTITION"].includes(rootOf(error).type ?? ""),
};

/** How a topic is laid out on the brokers. */
export interface TopicLayout {
  /** Named as on the brokers. */
  topic: string;
  partitions: number;
  /** Copies of the partition that has the fewest. */
  copies: number;
}

/** The topics of a log that are there, without its prefix. */
export async function topicsThere(admin: Admin, settings: KafkaSettings): Promise<Set<string>> {
  const present = new Set(await admin.listTopics());
  return new Set(LOG_TOPICS.filter((name) => present.has(settings.prefix + name)));
}

/**
 * Creates the topics that are missing and checks how many partitions the others have. A topic with more of them than
 * the log was made with is used as before: nothing is written to those that came later.
 *
 * @param there the topics that are there
 * @param fixed the number of partitions that the log was made with, where it says so
 * @returns the number of partitions of every topic
 * @throws AtlasError ATLAS_LOG_MISCONFIGURED naming the topic, what was found and what is wanted
 */
export async function prepareTopics(
  admin: Admin,
  settings: KafkaSettings,
  there: ReadonlySet<string>,
  fixed: number | undefined,
): Promise<number> {
  const existing = TOPICS.filter((name) => there.has(name));
  const found = existing.length === 0 ? [] : await layoutOf(admin, settings, existing);
  const wanted = fixed ?? settings.partitions ?? found[0]?.partitions ?? DEFAULT_PARTITIONS;
  const refuse = ({ topic, partitions }: TopicLayout): void => {
    const grown = fixed !== undefined && partitions > wanted;
    if (partitions !== wanted && !grown) throw wrong(topic, "partitions", String(partitions), String(wanted));
  };
  if (settings.partitions !== undefined && settings.partitions !== wanted)
    throw wrong(settings.prefix + TOPICS[0]!, "partitions", String(wanted), String(settings.partitions));
  found.forEach(refuse);
  const missing = LOG_TOPICS.filter((name) => !there.has(name));
  if (missing.length === 0) return wanted;
  if (!settings.create) throw wrong(settings.prefix + missing[0]!, "existence", "no such topic", "the topic");
  await create(admin, settings, missing, wanted);
  // Another process may have created them at the same time, with another number of partitions.
  (await layoutOf(admin, settings, TOPICS)).forEach(refuse);
  return wanted;
}

/**
 * Creates the topics of events that users defined, where they are missing, laid out like those of the log.
 *
 * @throws AtlasError ATLAS_LOG_MISCONFIGURED
 */
export async function prepareUserTopics(
  admin: Admin,
  settings: KafkaSettings,
  topics: readonly string[],
  partitions: number,
): Promise<void> {
  const names = [...new Set(topics)];
  const present = new Set(await admin.listTopics());
  const missing = names.filter((name) => !present.has(settings.prefix + name));
  if (missing.length > 0 && !settings.create)
    throw wrong(settings.prefix + missing[0]!, "existence", "no such topic", "the topic");
  if (missing.length > 0) await create(admin, settings, missing, partitions);
  for (const { topic, partitions: found } of await layoutOf(admin, settings, names))
    if (found < partitions) throw wrong(topic, "partitions", String(found), String(partitions));
}

/** How topics are laid out, named without the log's prefix. */
export async function layoutOf(
  admin: Admin,
  settings: KafkaSettings,
  names: readonly string[],
): Promise<TopicLayout[]> {
  const topics = names.map((name) => settings.prefix + name);
  const metadata = await retry(() => admin.fetchTopicMetadata({ topics }), METADATA_PATIENCE);
  const found = new Map(metadata.topics.map(({ name, partitions }) => [name, partitions]));
  return topics.map((topic) => {
    const partitions = found.get(topic) ?? [];
    const copies = partitions.reduce((least, { replicas }) => Math.min(least, replicas.length), 1000);
    return { topic, partitions: partitions.length, copies };
  });
}

async function create(
  admin: Admin,
  settings: KafkaSettings,
  names: readonly string[],
  partitions: number,
): Promise<void> {
  const attempt = (copies: number): Promise<boolean> =>
    admin.createTopics({
      topics: names.map((name) => ({
        topic: settings.prefix + name,
        numPartitions: name === LOG_ID_TOPIC ? 1 : partitions,
        replicationFactor: copies,
        configEntries: [
          ...SETTINGS.map((setting) => ({ name: setting.name, value: setting.value })),
          // What was acknowledged stands on two disks.
          { name: "min.insync.replicas", value: String(Math.min(2, copies)) },
        ],
      })),
    });
  const copies = settings.replicationFactor ?? (await defaultCopies(admin));
  try {
    await attempt(copies);
  } catch (error) {
    const refused = rootOf(error).type === "INVALID_REPLICATION_FACTOR";
    if (settings.replicationFactor !== undefined || !refused || copies === 1) throw error;
    await attempt(1);
  }
}

/** How many copies the brokers make of a topic that does not say. */
async function defaultCopies(admin: Admin): Promise<number> {
  const { brokers } = await admin.describeCluster();
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.BROKER,
        name: String(brokers[0]?.nodeId ?? 0),
        configNames: ["default.replication.factor"],
      },
    ],
  });
  return Number(resources[0]?.configEntries[0]?.configValue ?? 1);
}

/** A topic that is not as it has to be. */
export function wrong(topic: string, what: string, found: string, wanted: string): AtlasError {
  const hint =
    what === "partitions"
      ? "The number is fixed when a log is created: leave it out of the configuration, and the topics as they were."
      : what === "existence"
        ? "Let it be created (create: true), or create it with the settings that the documentation lists."
        : `Set ${what} of the topic to ${wanted}.`;
  return new AtlasError(
    "ATLAS_LOG_MISCONFIGURED",
    `the ${what} of ${topic}: found ${found}, wanted ${wanted}`,
    { where: topic, hint },
  );
}
