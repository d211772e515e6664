import { randomUUID } from "node:crypto";
import { ConfigResourceTypes, Kafka, logLevel } from "kafkajs";
import type { Database } from "../../database/database.ts";
import { openKafkaLog } from "../../log/kafka/open-kafka-log.ts";
import type { KafkaLogOptions } from "../../log/kafka/settings.ts";
import { partitionOf } from "../../schemas/partition.ts";
import type { LogUnderTest } from "./contract.ts";

/** Where the services of a test are. */
export interface KafkaServices {
  brokers: string[];
  schemaRegistryUrl: string;
}

/** A client of Kafka that has nothing to do with ours. */
export const plainKafka = (services: KafkaServices): Kafka =>
  new Kafka({ clientId: "plain", brokers: services.brokers, logLevel: logLevel.NOTHING });

/** A prefix for topics and groups that no other test uses. */
export const freshPrefix = (): string => `t${randomUUID().slice(0, 8)}.`;

/** A log of its own on these services, with the topics deleted afterwards. */
export async function kafkaUnderTest(
  services: KafkaServices,
  db: Database,
  close: () => Promise<void>,
  options: Partial<KafkaLogOptions> = {},
): Promise<LogUnderTest & { prefix: string }> {
  const topicPrefix = freshPrefix();
  const admin = plainKafka(services).admin();
  await admin.connect();
  return {
    db,
    prefix: topicPrefix,
    open: (mask) => openKafkaLog({ ...services, db, topicPrefix, mask, ...options }),
    truncate: async (topic, partition, before) => {
      await admin.fetchTopicMetadata({ topics: [topicPrefix + topic] });
      await admin.deleteTopicRecords({
        topic: topicPrefix + topic,
        partitions: [{ partition, offset: String(before) }],
      });
    },
    poison: async (log, session) => {
      const producer = plainKafka(services).producer({ allowAutoTopicCreation: false });
      await producer.connect();
      const message = { key: session, value: "no event", partition: partitionOf(session, log.partitions) };
      await producer.send({ topic: `${topicPrefix}atlas.sessions`, messages: [message] });
      await producer.disconnect();
    },
    newer: async (log, session) => {
      const producer = plainKafka(services).producer({ allowAutoTopicCreation: false });
      await producer.connect();
      const message = {
        key: session,
        value: Buffer.from([0, 0, 0, 0, 1]),
        partition: partitionOf(session, log.partitions),
        headers: { ce_dataschema: "urn:atlas:schema:0123456789abcdef" },
      };
      await producer.send({ topic: `${topicPrefix}atlas.sessions`, messages: [message] });
      await producer.disconnect();
    },
    refuse: async (topic) => {
      const set = (bytes: string): Promise<unknown> =>
        admin.alterConfigs({
          validateOnly: false,
          resources: [
            {
              type: ConfigResourceTypes.TOPIC,
              name: topicPrefix + topic,
              configEntries: [
                { name: "max.message.bytes", value: bytes },
                { name: "retention.ms", value: "-1" },
                { name: "retention.bytes", value: "-1" },
                { name: "message.timestamp.type", value: "LogAppendTime" },
                { name: "cleanup.policy", value: "delete" },
              ],
            },
          ],
        });
      await set("10");
      return async () => {
        await set("1048576");
      };
    },
    close: async () => {
      const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(topicPrefix));
      if (topics.length > 0) await admin.deleteTopics({ topics });
      await admin.disconnect();
      await close();
    },
  };
}
