import { ConfigResourceTypes } from "kafkajs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Database } from "../../database/database.ts";
import { openPostgres } from "../../database/pg-database.ts";
import type { Apply, EventLog } from "../../log/event-log.ts";
import { openKafkaLog } from "../../log/kafka/open-kafka-log.ts";
import type { KafkaLogOptions } from "../../log/kafka/settings.ts";
import { newId } from "../../schemas/identity.ts";
import { TOPICS } from "../../schemas/topics.ts";
import { recordsOf } from "../as-readers.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import { kafka, missing, postgres } from "../services/services.ts";
import { facts } from "./facts.ts";
import { freshPrefix, type KafkaServices, plainKafka } from "./kafka-under-test.ts";

describe.skipIf(await missing("kafka", "postgres"))("topics that are changed behind the log's back", () => {
  let services: KafkaServices;
  let db: Database;
  const admin = () => plainKafka(services).admin();

  beforeAll(async () => {
    services = await kafka();
    db = await openPostgres((await postgres()).url);
  });
  afterAll(() => db?.close());

  const open = async (topicPrefix: string, options: Partial<KafkaLogOptions> = {}): Promise<EventLog> => {
    const log = await openKafkaLog({ ...services, db, topicPrefix, ...options });
    onTestFinished(() => log.close());
    return log;
  };
  const withAdmin = async <T>(work: (own: ReturnType<typeof admin>) => Promise<T>): Promise<T> => {
    const own = admin();
    await own.connect();
    return work(own).finally(() => own.disconnect());
  };
  const noticesOf = async (log: EventLog): Promise<string[]> =>
    (await log.check()).map(({ level, error }) => `${level}: ${error.message}`);

  test("more partitions are not used: a key stays where it is, and nothing comes twice", async () => {
    const prefix = freshPrefix();
    const log = await open(prefix, { partitions: 3 });
    const sessions = Array.from({ length: 12 }, newId);
    const events = sessions.flatMap((session) => facts(session, 6)).map(log.mask);
    await log.append(events.slice(0, 36));
    const applied: string[] = [];
    const apply: Apply = async (batch) => {
      for (const { event } of batch) applied.push(`${event.meta.source}#${event.meta.sequence}`);
    };
    await log.consume({ group: "grown", topics: ["atlas.sessions"] }, apply);
    await withAdmin((own) =>
      own.createPartitions({ topicPartitions: TOPICS.map((topic) => ({ topic: prefix + topic, count: 5 })) }),
    );
    const again = await open(prefix);
    expect([again.id, again.partitions]).toEqual([log.id, 3]);
    // As a repeated import would.
    await again.append(events);
    await again.caughtUp("grown", await again.ends(["atlas.sessions"]), { timeoutMs: LIMIT_MS });
    const wanted = sessions.flatMap((session) => facts(session, 6).map((_, at) => `${session}#${at + 1}`));
    expect(applied.toSorted()).toEqual(wanted.toSorted());
    const records = await recordsOf(again, ["atlas.sessions"]);
    for (const session of sessions)
      expect(
        new Set(records.filter(({ key }) => key === session).map(({ partition }) => partition)).size,
      ).toBe(1);
    expect(await noticesOf(again)).toContainEqual(
      `warning: ${prefix}atlas.sessions has 5 partitions, and the log was made with 3: the others are not used`,
    );
  });

  test("another number in the configuration is refused, whatever the topics have by now", async () => {
    const prefix = freshPrefix();
    await open(prefix, { partitions: 3 });
    await withAdmin((own) =>
      own.createPartitions({ topicPartitions: TOPICS.map((topic) => ({ topic: prefix + topic, count: 5 })) }),
    );
    await expect(open(prefix, { partitions: 5 })).rejects.toMatchObject({
      code: "ATLAS_LOG_MISCONFIGURED",
      message: `the partitions of ${prefix}atlas.sessions: found 3, wanted 5`,
    });
  });

  test("a topic that begins to forget, or has forgotten, is noticed while the log is open", async () => {
    const prefix = freshPrefix();
    const log = await open(prefix, { partitions: 1 });
    await log.append(facts(newId(), 5).map(log.mask));
    const before = await noticesOf(log);
    expect(before.filter((notice) => notice.startsWith("broken"))).toEqual([]);
    await withAdmin(async (own) => {
      await own.fetchTopicMetadata({ topics: [`${prefix}atlas.sessions`] });
      await own.deleteTopicRecords({
        topic: `${prefix}atlas.sessions`,
        partitions: [{ partition: 0, offset: "2" }],
      });
      await own.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: ConfigResourceTypes.TOPIC,
            name: `${prefix}atlas.rewards`,
            configEntries: [{ name: "retention.ms", value: "86400000" }],
          },
        ],
      });
    });
    await eventually(async () => {
      const notices = await noticesOf(log);
      expect(notices).toContainEqual(
        `broken: the retention.ms of ${prefix}atlas.rewards: found 86400000, wanted -1`,
      );
      expect(notices).toContainEqual(
        `broken: ${prefix}atlas.sessions[0] begins at offset 2: the records before it are gone`,
      );
    });
  });

  test("one copy is told, and more copies than brokers are refused by name", async () => {
    const prefix = freshPrefix();
    const log = await open(prefix, { replicationFactor: 1 });
    expect(await noticesOf(log)).toContainEqual(
      `warning: ${prefix}atlas.sessions has one copy: what it holds is lost with its disk`,
    );
    await expect(open(freshPrefix(), { replicationFactor: 9 })).rejects.toMatchObject({
      code: "ATLAS_LOG_MISCONFIGURED",
      hint: "Set replication_factor to no more than there are brokers, or start more.",
    });
  });
});
