import avsc from "avsc";
import type { KafkaMessage, Consumer as PlainConsumer } from "kafkajs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EventLog, RawRecord } from "../../log/event-log.ts";
import { openKafkaLog } from "../../log/kafka/open-kafka-log.ts";
import { createEvent, encodeEvent, latestSchema } from "../../schemas/codec.ts";
import { fingerprint } from "../../schemas/fingerprint.ts";
import { newId } from "../../schemas/identity.ts";
import { partitionOf } from "../../schemas/partition.ts";
import { eventually } from "../eventually.ts";
import { kafka, missing } from "../services/services.ts";
import { fact, facts } from "./facts.ts";
import { freshPrefix, type KafkaServices, plainKafka } from "./kafka-under-test.ts";

describe.skipIf(await missing("kafka"))("the kafka log as others see it", () => {
  const topicPrefix = freshPrefix();
  const topic = `${topicPrefix}atlas.sessions`;
  let services: KafkaServices;
  let log: EventLog;

  beforeAll(async () => {
    services = await kafka();
    log = await openKafkaLog({ ...services, topicPrefix });
  });
  afterAll(async () => {
    await log?.close();
  });

  const registry = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(services.schemaRegistryUrl + path, {
      method,
      headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Record<string, unknown>;
  };

  /** What a client that knows nothing of this package gets of a session. */
  const messagesOf = async (
    session: string,
    count: number,
  ): Promise<(KafkaMessage & { partition: number })[]> => {
    const consumer: PlainConsumer = plainKafka(services).consumer({
      groupId: `${topicPrefix}plain-${session}`,
      maxWaitTimeInMs: 100,
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const found: (KafkaMessage & { partition: number })[] = [];
    await new Promise<void>((resolve) => {
      void consumer.run({
        eachMessage: async ({ message, partition }) => {
          if (message.key?.toString() === session) found.push({ ...message, partition });
          if (found.length >= count) resolve();
        },
      });
    });
    await consumer.disconnect();
    return found;
  };

  test("a plain consumer decodes with nothing but the registry's address", async () => {
    const session = newId();
    const events = facts(session, 3);
    await log.append(events.map(log.mask));
    for (const [index, { value, partition }] of (await messagesOf(session, 3)).entries()) {
      expect(value![0]).toBe(0);
      const { schema } = await registry("GET", `/schemas/ids/${value!.readInt32BE(1)}`);
      const decoded: unknown = avsc.Type.forSchema(JSON.parse(String(schema))).fromBuffer(value!.subarray(5));
      const { type: _type, ...fields } = events[index]!;
      expect(JSON.parse(JSON.stringify(decoded))).toMatchObject(JSON.parse(JSON.stringify(fields)));
      expect(partition).toBe(partitionOf(session, 8));
    }
  });

  test("schemas stand under their full name, and stay compatible with every version", async () => {
    await log.append([fact(newId(), 1)].map(log.mask));
    const subject = "atlas.events.StepSkipped";
    expect(await registry("GET", "/subjects")).toContain(subject);
    expect(await registry("GET", `/config/${subject}`)).toEqual({ compatibilityLevel: "FULL_TRANSITIVE" });
    const incompatible = JSON.stringify({
      type: "record",
      name: "StepSkipped",
      namespace: "atlas.events",
      fields: [{ name: "other", type: "int" }],
    });
    const refused = await registry("POST", `/subjects/${subject}/versions`, { schema: incompatible });
    expect(refused).toMatchObject({ error_code: expect.toSatisfy((code) => String(code).startsWith("409")) });
  });

  test("headers repeat the envelope as CloudEvents and trace context", async () => {
    const session = newId();
    const event = createEvent(
      "StepSkipped",
      {
        event_id: "0190f5a0-7b1e-7c3d-9a57-2b0c5c1d7e11",
        session_id: session,
        source: "a source/ü",
        sequence: 1,
        occurred_at: 1_700_000_000_123_456,
        time_assumed: false,
        trace_id: "0af7651916cd43dd8448eb211c80319c",
      },
      { step_id: 1, reason: "because" },
    );
    await log.append([event].map(log.mask));
    const [message] = await messagesOf(session, 1);
    const headers = Object.fromEntries(
      Object.entries(message!.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    expect(headers).toEqual({
      ce_specversion: "1.0",
      ce_type: "atlas.events.StepSkipped",
      ce_id: event.meta.event_id,
      ce_source: "a%20source/%C3%BC",
      ce_subject: session,
      ce_time: "2023-11-14T22:13:20.123456+00:00",
      ce_dataschema: `urn:atlas:schema:${latestSchema("StepSkipped")!.fingerprint}`,
      "content-type": "application/avro",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-9a572b0c5c1d7e11-01",
    });
  });

  test("headers hold nothing that the mask took out", async () => {
    const masked = await openKafkaLog({
      ...services,
      topicPrefix,
      mask: (event) => ({ ...event, meta: { ...event.meta, source: "masked" } }),
    });
    const session = newId();
    await masked.append([fact(session, 1)].map(masked.mask));
    await masked.close();
    const [message] = await messagesOf(session, 1);
    expect(String(message!.headers?.ce_source)).toBe("masked");
  });

  describe("records of other writers", () => {
    const send = async (session: string, value: Buffer): Promise<void> => {
      const producer = plainKafka(services).producer({ allowAutoTopicCreation: false });
      await producer.connect();
      const message = { key: session, value, partition: partitionOf(session, 8) };
      await producer.send({ topic, messages: [message] });
      await producer.disconnect();
    };
    const framed = (id: number, body: Buffer): Buffer => {
      const head = Buffer.alloc(5);
      head.writeInt32BE(id, 1);
      return Buffer.concat([head, body]);
    };
    const register = async (name: string, schema: unknown): Promise<number> => {
      const { id } = await registry("POST", `/subjects/${name}/versions`, { schema: JSON.stringify(schema) });
      return Number(id);
    };
    const rawOf = async (session: string): Promise<RawRecord[]> => {
      const records: RawRecord[] = [];
      for await (const batch of log.readRaw(["atlas.sessions"])) {
        for (const record of batch) if (record.key === session) records.push(record);
      }
      return records;
    };

    test("are ours when their schema is", async () => {
      const session = newId();
      const event = fact(session, 1);
      const schema = JSON.parse(latestSchema("StepSkipped")!.schema);
      await send(
        session,
        framed(await register("atlas.events.StepSkipped", schema), encodeEvent(event).body),
      );
      const [record] = await rawOf(session);
      expect(record).toMatchObject({ ...encodeEvent(event), key: session });
    });

    test("are foreign when it is not, or there is none", async () => {
      const session = newId();
      const schema = { type: "record", name: "Pond", namespace: "ducks", fields: [] };
      await send(session, framed(await register("ducks.Pond", schema), Buffer.alloc(0)));
      await send(session, framed(2_000_000_000, Buffer.from("?")));
      await send(session, Buffer.from("no frame"));
      const records = await rawOf(session);
      expect(records.map(({ fingerprint: found }) => found)).toEqual([undefined, undefined, undefined]);
      expect(records[2]!.body.toString()).toBe("no frame");
    });

    test("of a newer version of this package are recognised as such", async () => {
      const session = newId();
      const schema = JSON.parse(latestSchema("TaskTriaged")!.schema) as { fields: unknown[] };
      schema.fields.push({ name: "later", type: ["null", "string"], default: null });
      const id = await register("atlas.events.TaskTriaged", schema);
      await send(session, framed(id, Buffer.from("whatever")));
      const [record] = await rawOf(session);
      expect(record!.fingerprint).toBe(fingerprint(schema));
    });
  });

  describe("opening", () => {
    const open = (options: Partial<Parameters<typeof openKafkaLog>[0]>): Promise<EventLog> =>
      openKafkaLog({ ...services, ...options });

    test("creates topics that keep everything and tell append times", async () => {
      const admin = plainKafka(services).admin();
      await admin.connect();
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: 2, name: topic }],
      });
      await admin.disconnect();
      const settings = Object.fromEntries(
        resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]),
      );
      expect(settings).toMatchObject({
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "cleanup.policy": "delete",
        "message.timestamp.type": "LogAppendTime",
      });
    });

    test("names the same log again, and another after the topics were deleted", async () => {
      const prefix = freshPrefix();
      const [first, second] = await Promise.all([
        open({ topicPrefix: prefix }),
        open({ topicPrefix: prefix }),
      ]);
      expect(second.id).toBe(first.id);
      expect(first.partitions).toBe(8);
      await Promise.all([first.close(), second.close()]);
      const admin = plainKafka(services).admin();
      await admin.connect();
      const topics = (await admin.listTopics()).filter((name) => name.startsWith(prefix));
      await admin.deleteTopics({ topics });
      await eventually(async () => expect(await admin.listTopics()).not.toContain(topics[0]));
      await admin.disconnect();
      const third = await open({ topicPrefix: prefix });
      expect(third.id).not.toBe(first.id);
      await third.close();
    });

    test("takes the number of partitions that the log has, and refuses another", async () => {
      const prefix = freshPrefix();
      await (await open({ topicPrefix: prefix, partitions: 3 })).close();
      const again = await open({ topicPrefix: prefix });
      expect(again.partitions).toBe(3);
      await again.close();
      await expect(open({ topicPrefix: prefix, partitions: 8 })).rejects.toMatchObject({
        code: "ATLAS_LOG_MISCONFIGURED",
        message: `the partitions of ${prefix}atlas.sessions: found 3, wanted 8`,
      });
    });

    test("refuses a topic that forgets", async () => {
      const prefix = freshPrefix();
      const admin = plainKafka(services).admin();
      await admin.connect();
      const configEntries = [{ name: "retention.ms", value: "604800000" }];
      await admin.createTopics({
        topics: [{ topic: `${prefix}atlas.drift`, numPartitions: 8, configEntries }],
      });
      await admin.disconnect();
      await expect(open({ topicPrefix: prefix })).rejects.toMatchObject({
        code: "ATLAS_LOG_MISCONFIGURED",
        message: `the retention.ms of ${prefix}atlas.drift: found 604800000, wanted -1`,
      });
    });

    test("creates nothing when it must not", async () => {
      await expect(open({ topicPrefix: freshPrefix(), create: false })).rejects.toMatchObject({
        code: "ATLAS_LOG_MISCONFIGURED",
        message: expect.stringContaining("no such topic"),
      });
    });
  });
});
