import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EventLog, SubscribedEvent } from "../../log/event-log.ts";
import { openKafkaLog } from "../../log/kafka/open-kafka-log.ts";
import { newId } from "../../schemas/identity.ts";
import { partitionOf } from "../../schemas/partition.ts";
import { eventually } from "../eventually.ts";
import { kafka, missing } from "../services/services.ts";
import { fact, facts } from "./facts.ts";
import { freshPrefix, type KafkaServices, plainKafka } from "./kafka-under-test.ts";

describe.skipIf(await missing("kafka"))("subscriptions to the kafka log", () => {
  const topics = ["atlas.sessions"] as const;
  let services: KafkaServices;
  let topicPrefix: string;
  let log: EventLog;

  beforeEach(async () => {
    services = await kafka();
    topicPrefix = freshPrefix();
    log = await openKafkaLog({ ...services, topicPrefix });
  });
  afterEach(async () => {
    await log.close();
  });

  /** Takes this many events, each worked on by `work`. */
  const take = async (
    count: number,
    work: (event: SubscribedEvent) => Promise<void>,
    group = "g",
  ): Promise<number[]> => {
    const sequences: number[] = [];
    for await (const event of log.subscribe({ group, topics })) {
      sequences.push(event.meta.sequence);
      await work(event);
      if (sequences.length === count) break;
    }
    return sequences;
  };

  test("go on where the group has acknowledged", async () => {
    await log.append(facts(newId(), 6).map(log.mask));
    expect(await take(4, (event) => event.ack())).toEqual([1, 2, 3, 4]);
    expect(await take(2, (event) => event.ack())).toEqual([5, 6]);
    expect(await take(6, (event) => event.ack(), "another")).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("deliver again what was not acknowledged", async () => {
    await log.append(facts(newId(), 6).map(log.mask));
    const onlyOdd = async (event: SubscribedEvent): Promise<void> => {
      if (event.meta.sequence % 2 === 1) await event.ack();
    };
    expect(await take(5, onlyOdd)).toEqual([1, 2, 3, 4, 5]);
    expect(await take(5, onlyOdd)).toEqual([2, 3, 4, 5, 6]);
  });

  test("give the event itself, with its place and nothing that a copy would show", async () => {
    const session = newId();
    const [event] = facts(session, 1);
    await log.append([event!].map(log.mask));
    await take(1, async (received) => {
      expect({ ...received, meta: JSON.parse(JSON.stringify(received.meta)) }).toEqual({
        ...event,
        meta: { ...event!.meta, causation_id: null, derivation: null, trace_id: null },
      });
      expect(received.position).toEqual({
        topic: "atlas.sessions",
        partition: partitionOf(session, 8),
        offset: 0,
      });
    });
  });

  test("share the partitions among the members of a group", async () => {
    const sessions = Array.from({ length: 40 }, newId);
    const other = await openKafkaLog({ ...services, topicPrefix });
    const received = new Map<string, Set<string>>([
      ["a", new Set()],
      ["b", new Set()],
    ]);
    const stop = new AbortController();
    const member = async (name: string, from: EventLog): Promise<void> => {
      for await (const event of from.subscribe({ group: "g", topics, signal: stop.signal })) {
        received.get(name)!.add(event.meta.source);
        await event.ack();
      }
    };
    const members = [member("a", log), member("b", other)];
    const [a, b] = [received.get("a")!, received.get("b")!];
    // Both have partitions once both have been given something.
    while (a.size === 0 || b.size === 0) {
      const others = Array.from({ length: 8 }, newId);
      await log.append(others.map((session) => fact(session, 1)).map(log.mask));
      await eventually(() => expect(others.every((each) => a.has(each) || b.has(each))).toBe(true));
    }
    a.clear();
    b.clear();
    await log.append(sessions.flatMap((session) => facts(session, 3)).map(log.mask));
    await eventually(() => expect(sessions.every((each) => a.has(each) || b.has(each))).toBe(true));
    stop.abort();
    await Promise.all(members);
    await other.close();
    expect(a.size).toBeGreaterThan(0);
    expect(b.size).toBeGreaterThan(0);
    expect(sessions.filter((each) => a.has(each) && b.has(each))).toEqual([]);
  });

  test("leave out what is no event, and get past it", async () => {
    const session = newId();
    await log.append(facts(session, 1).map(log.mask));
    const producer = plainKafka(services).producer({ allowAutoTopicCreation: false });
    await producer.connect();
    await producer.send({
      topic: `${topicPrefix}atlas.sessions`,
      messages: [{ key: session, value: "no event", partition: partitionOf(session, 8) }],
    });
    await producer.disconnect();
    await log.append(facts(session, 1, 2).map(log.mask));
    expect(await take(2, (event) => event.ack())).toEqual([1, 2]);
  });

  test("end when the log is closed", async () => {
    const begun = Promise.withResolvers<void>();
    const ended = take(2, async () => begun.resolve());
    await log.append(facts(newId(), 1).map(log.mask));
    await begun.promise;
    await log.close();
    expect(await ended).toEqual([1]);
  });
});
