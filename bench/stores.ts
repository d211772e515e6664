import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import { startPipeline } from "../app/pipeline.ts";
import type { Database } from "../database/database.ts";
import { openPostgres } from "../database/pg-database.ts";
import { openRules } from "../derivation/rules.ts";
import { settle } from "../derivation/stages.ts";
import type { EventLog } from "../log/event-log.ts";
import { openKafkaLog } from "../log/kafka/open-kafka-log.ts";
import { openPostgresLog } from "../log/postgres/open-postgres-log.ts";
import { prepareReadModels } from "../projections/prepare-read-models.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import { DEFAULT_RULES } from "../schemas/rules.ts";
import { TOPICS } from "../schemas/topics.ts";
import type { BenchContext } from "./benchmark.ts";
import { inBatches } from "./sessions.ts";

/** A log, and the database beside or below it, that are removed when they are closed. */
export interface BenchStore {
  log: EventLog;
  db: Database;
  /** Of the database, for other clients. */
  url: string;
  close(): Promise<void>;
}

let made = 0;
const nextName = (): string => {
  made += 1;
  return `bench_${process.pid}_${made}`;
};

/** Creates an empty database on the benchmark's server; closing it drops it. */
export const createDatabase = async (context: BenchContext): Promise<Database> =>
  (await createDatabaseAt(context.services)).db;

async function createDatabaseAt(services: { databaseUrl: string }): Promise<{ db: Database; url: string }> {
  const name = nextName();
  const url = new URL(services.databaseUrl);
  url.pathname = `/${name}`;
  const administer = async (sql: string): Promise<void> => {
    const admin = await openPostgres(services.databaseUrl);
    await admin.query(sql).finally(() => admin.close());
  };
  await administer(`create database ${name}`);
  const db = await openPostgres(url.href);
  const close = async (): Promise<void> => {
    await db.close();
    await administer(`drop database if exists ${name} with (force)`);
  };
  return { db: { ...db, close }, url: url.href };
}

/** An empty log on a Postgres server with read models beside it. */
export async function openStoreAt(services: { databaseUrl: string }): Promise<BenchStore> {
  const { db, url } = await createDatabaseAt(services);
  const log = await openPostgresLog({ db });
  await prepareReadModels(db);
  const close = async (): Promise<void> => {
    await log.close();
    await db.close();
  };
  return { log, db, url, close };
}

/** Opens an empty log on the Postgres server, with read models beside it. */
export const postgresStore = (context: BenchContext): Promise<BenchStore> => openStoreAt(context.services);

/** A client as users of Kafka would make it, for what the log is held against. */
export const kafkaClient = ({ services }: BenchContext): kafkajs.Kafka =>
  new kafkajs.Kafka({ clientId: "bench", brokers: services.brokers, logLevel: kafkajs.logLevel.NOTHING });

/** Opens an empty log on Kafka; its checkpoints and read models are in a database of its own. */
export async function kafkaStore(context: BenchContext): Promise<BenchStore & { prefix: string }> {
  const { brokers, schemaRegistryUrl } = context.services;
  const prefix = `${nextName()}.`;
  const { db, url } = await createDatabaseAt(context.services);
  const log = await openKafkaLog({ brokers, schemaRegistryUrl, topicPrefix: prefix, db });
  await prepareReadModels(db);
  const close = async (): Promise<void> => {
    await log.close();
    await db.close();
    await deleteTopics(context, prefix);
  };
  return { log, db, url, prefix, close };
}

/** Creates a topic, and waits until the broker knows it. */
export async function createTopic(
  context: BenchContext,
  topic: string,
  numPartitions: number,
): Promise<void> {
  const admin = kafkaClient(context).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: false });
  for (let left = 50; left > 0; left -= 1) {
    const known = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined);
    const leaders = known?.topics[0]?.partitions.filter(({ leader }) => leader >= 0);
    if (leaders?.length === numPartitions) break;
    await sleep(100);
  }
  await admin.disconnect();
}

async function deleteTopics(context: BenchContext, prefix: string): Promise<void> {
  const admin = kafkaClient(context).admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
  await admin.deleteTopics({ topics });
  await admin.disconnect();
}

/** Appends the sessions, lets processors and read models apply them, and waits until they have. */
export async function fill({ log }: BenchStore, sessions: Iterable<AtlasEvent[]>): Promise<void> {
  const rules = openRules(log);
  await rules.ensure(DEFAULT_RULES);
  for (const batch of inBatches(eventsOf(sessions), 500)) await log.append(batch.map(log.mask));
  const pipeline = await startPipeline(log, rules);
  await Promise.race([settle(log), pipeline.done]).finally(() => pipeline.stop());
}

/** Everything that a log holds, in the order of its topics. */
export async function contentsOf(log: EventLog): Promise<AtlasEvent[]> {
  const events: AtlasEvent[] = [];
  for await (const batch of log.read(TOPICS)) for (const { event } of batch) events.push(event);
  return events;
}

/** The events of sessions, one after the other. */
export function* eventsOf(sessions: Iterable<AtlasEvent[]>): Generator<AtlasEvent> {
  for (const events of sessions) yield* events;
}
