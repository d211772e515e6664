import type { Admin } from "kafkajs";
import { AtlasError } from "../../errors/atlas-error.ts";
import { retry } from "../../errors/retry.ts";
import type { EventDescription } from "../../schemas/event-definitions.ts";
import { maskingBy } from "../../schemas/masked.ts";
import type { Topic } from "../../schemas/topics.ts";
import { learnEarlierSchemas } from "../earlier-schemas.ts";
import type { Consumer, Ends, EventLog, RawRecord, ReadRange } from "../event-log.ts";
import { held } from "../held.ts";
import { databaseId, prepareLogTables } from "../log-tables.ts";
import { toOutgoing } from "../outgoing.ts";
import { decodeRecord } from "../records.ts";
import { waitUntilCaughtUp } from "../runner/caught-up.ts";
import { Begins } from "./begins.ts";
import { checkTopics, refuseWrongSettings } from "./check-topics.ts";
import { openClient } from "./client.ts";
import { KafkaConsumer } from "./consumer.ts";
import { BROKER_BACKOFF, logError } from "./failures.ts";
import { Fetcher } from "./fetcher.ts";
import { readIdentity, writeIdentity } from "./log-id.ts";
import { RecordProducer } from "./producer.ts";
import { readEnds, readRange } from "./reader.ts";
import { kafkaRefilling } from "./refilling.ts";
import { Registry } from "./registry.ts";
import { type KafkaLogOptions, type KafkaSettings, settingsOf } from "./settings.ts";
import { Subscription } from "./subscription.ts";
import { LOG_ID_TOPIC, prepareTopics, prepareUserTopics, topicsThere, wrong } from "./topics.ts";

/**
 * Opens the event log on Kafka, and creates its topics where they are missing. The schema registry is asked when the
 * first event of a kind is written: one that does not answer only delays.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID, ATLAS_LOG_UNREACHABLE, ATLAS_LOG_MISCONFIGURED, and those of the database
 * @example
 * const log = await openKafkaLog({ brokers: ["localhost:9092"], schemaRegistryUrl: "http://localhost:8081" });
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<EventLog> {
  const settings = settingsOf(options);
  const { db } = options;
  const mask = maskingBy(options.mask);
  if (db !== undefined) await prepareLogTables(db);
  const fetcher = new Fetcher(settings);
  const { id, partitions } = await held(prepare(settings, fetcher));
  const registry = new Registry(settings.registryUrl);
  const producer = new RecordProducer(settings, registry);
  const begins = new Begins(settings, fetcher);
  await held(retry(() => begins.learn(), { ...BROKER_BACKOFF, forMs: settings.openTimeoutMs }));
  const reading = { settings, partitions, fetcher, registry, begins };
  const consumers = new Set<Consumer>();
  const defined = new Map<string, EventDescription>();
  const closing = new AbortController();

  const usable = (): void => {
    if (closing.signal.aborted)
      throw new AtlasError("ATLAS_LOG_CLOSED", "the log was closed", { where: settings.address });
  };
  const database = (own: typeof db) => {
    const found = own ?? db;
    if (found !== undefined) return found;
    throw new AtlasError("ATLAS_CONFIG_INVALID", "consuming needs a database for its checkpoints", {
      where: settings.address,
      hint: "Give openLog or consume a db, or use subscribe, which needs none.",
    });
  };
  async function* readRaw(
    topics: readonly Topic[],
    range: ReadRange = {},
  ): AsyncGenerator<readonly RawRecord[]> {
    usable();
    yield* readRange(reading, topics, range);
  }

  return {
    id,
    kind: "kafka",
    partitions,
    address: settings.address,
    db,
    mask,
    async define(events) {
      usable();
      const topics = events.map(({ topic }) => topic);
      const look = () =>
        withAdmin(settings, (admin) => prepareUserTopics(admin, settings, topics, partitions));
      await held(retry(look, { ...BROKER_BACKOFF, forMs: settings.openTimeoutMs }));
      for (const event of events)
        await learnEarlierSchemas(event, await registry.versionsOf(event.type), settings.address);
      for (const event of events) defined.set(event.type, event);
    },
    definitions: async () => [...defined.values()],
    async append(events) {
      usable();
      await producer.append(toOutgoing(events, partitions));
    },
    refilling: kafkaRefilling(reading, producer),
    async *read(topics, range) {
      for await (const batch of readRaw(topics, range)) yield batch.map(decodeRecord);
    },
    readRaw,
    async ends(topics): Promise<Ends> {
      usable();
      return readEnds(reading, topics);
    },
    async consume(consume, apply) {
      usable();
      const own = database(consume.db);
      if (own !== db) await prepareLogTables(own);
      const publish = (records: Parameters<RecordProducer["append"]>[0]) => producer.append(records);
      const log = {
        id,
        partitions,
        settings,
        registry,
        begins,
        mask,
        publish,
        databaseId: await databaseId(own),
      };
      const consumer = new KafkaConsumer({ ...consume, db: own, log }, apply);
      consumers.add(consumer);
      consumer.done.catch(() => {}).finally(() => consumers.delete(consumer));
      return consumer;
    },
    async caughtUp(group, ends, waiting) {
      await waitUntilCaughtUp(database(undefined), group, ends, waiting);
    },
    subscribe(subscribe) {
      usable();
      const signal = AbortSignal.any([
        closing.signal,
        ...(subscribe.signal === undefined ? [] : [subscribe.signal]),
      ]);
      return new Subscription({ settings, partitions, registry, begins }, { ...subscribe, signal }).events();
    },
    async check() {
      usable();
      await begins.learn();
      const look = () => withAdmin(settings, (admin) => checkTopics(admin, settings, partitions, begins));
      return held(retry(look, { ...BROKER_BACKOFF, forMs: settings.openTimeoutMs }));
    },
    async close() {
      closing.abort();
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
      await producer.close();
      await fetcher.close();
    },
  };
}

/** Does something with an admin's connection of its own, once. */
async function withAdmin<T>(settings: KafkaSettings, work: (admin: Admin) => Promise<T>): Promise<T> {
  // A broker that takes connections and answers nothing must not use up all the time.
  const requestTimeoutMs = Math.min(settings.requestTimeoutMs, settings.openTimeoutMs / 2);
  const client = openClient({ ...settings, requestTimeoutMs });
  try {
    const admin = client.kafka.admin();
    await admin.connect();
    return await work(admin);
  } catch (error) {
    throw logError(error, settings, "no broker answers as it should");
  } finally {
    client.destroy();
  }
}

/** Waits for the brokers, creates and checks the topics, and finds the log's identity. */
async function prepare(
  settings: KafkaSettings,
  fetcher: Fetcher,
): Promise<{ id: string; partitions: number }> {
  const connect = (): Promise<{ id: string; partitions: number }> =>
    withAdmin(settings, async (admin) => {
      const there = await topicsThere(admin, settings);
      const known = there.has(LOG_ID_TOPIC) ? await readIdentity(settings, fetcher) : undefined;
      const partitions = await prepareTopics(admin, settings, there, known?.partitions);
      await refuseWrongSettings(admin, settings);
      const { id, partitions: fixed = partitions } =
        known ?? (await writeIdentity(settings, fetcher, partitions));
      // Another process made the log at the same time, with another number.
      if (fixed !== partitions)
        throw wrong(settings.prefix + LOG_ID_TOPIC, "partitions", String(fixed), String(partitions));
      return { id, partitions };
    });
  return retry(connect, { ...BROKER_BACKOFF, forMs: settings.openTimeoutMs });
}
