import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EventLog } from "../../log/event-log.ts";
import { openKafkaLog } from "../../log/kafka/open-kafka-log.ts";
import { newId } from "../../schemas/identity.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import { freePort } from "../services/native/free-port.ts";
import { type KafkaInstance, startKafka } from "../services/native/kafka.ts";
import { type RegistryInstance, startRegistry } from "../services/native/registry.ts";
import { nativeMissing } from "../services/services.ts";
import { fact, facts } from "./facts.ts";
import { type KafkaProxy, startProxy } from "./kafka-proxy.ts";
import { freshPrefix } from "./kafka-under-test.ts";

/** The sequences of a session as they stand in the log, and without what stands there again. */
async function sequencesOf(log: EventLog, session: string): Promise<{ all: number[]; fresh: number[] }> {
  const all: number[] = [];
  for await (const batch of log.read(["atlas.sessions"])) {
    for (const { key, event } of batch) if (key === session) all.push(event.meta.sequence);
  }
  const fresh: number[] = [];
  for (const sequence of all) if (sequence > (fresh.at(-1) ?? 0)) fresh.push(sequence);
  return { all, fresh };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe.skipIf(await nativeMissing("kafka"))("the kafka log in bad times", () => {
  let broker: KafkaInstance;
  let registry: RegistryInstance;
  let proxy: KafkaProxy;
  const opened: EventLog[] = [];

  beforeAll(async () => {
    const proxied = { listen: await freePort(), advertise: await freePort() };
    [broker, registry] = await Promise.all([startKafka({ proxied }), startRegistry()]);
    proxy = await startProxy(proxied.advertise, proxied.listen);
  });
  afterAll(async () => {
    for (const log of opened) await log.close();
    await proxy?.[Symbol.asyncDispose]();
    await broker?.stop();
    await registry?.stop();
  });

  const open = async (options: Partial<Parameters<typeof openKafkaLog>[0]> = {}): Promise<EventLog> => {
    const log = await openKafkaLog({
      brokers: [`127.0.0.1:${proxy.port}`],
      schemaRegistryUrl: registry.schemaRegistryUrl,
      topicPrefix: freshPrefix(),
      requestTimeoutMs: 1500,
      ...options,
    });
    opened.push(log);
    return log;
  };

  for (const then of ["silence", "break"] as const) {
    test(`loses and reorders nothing when a broker's answer is lost (${then}) while three appends wait`, async () => {
      const log = await open();
      const session = newId();
      await log.append(facts(session, 10).map(log.mask));
      const lost = proxy.loseNextAnswer(then);
      const appends = [0, 1, 2, 3].map((index) =>
        log.append(facts(session, 25, 11 + index * 25).map(log.mask)),
      );
      await lost;
      await Promise.all(appends);
      const { all, fresh } = await sequencesOf(log, session);
      expect(fresh).toEqual(upTo(110));
      // The batch whose answer was lost had been written: it stands there twice.
      expect(all.length).toBeGreaterThan(110);
    });
  }

  test("has one send under way at a time, however many appends wait", async () => {
    const log = await open();
    await log.append([fact(newId(), 1)].map(log.mask));
    const before = proxy.produced;
    const sessions = Array.from({ length: 400 }, newId);
    await Promise.all(sessions.map((session) => log.append([fact(session, 1)].map(log.mask))));
    expect(proxy.produced - before).toBeLessThan(5);
  });

  test("keeps what was confirmed, and goes on, when the broker is killed in the middle of appends", async () => {
    const log = await open({ patienceMs: LIMIT_MS });
    const session = newId();
    let appended = 0;
    let stop = false;
    const appending = (async () => {
      while (!stop) {
        await log.append(facts(session, 20, appended + 1).map(log.mask));
        appended += 20;
      }
    })();
    await eventually(() => expect(appended).toBeGreaterThan(0));
    await broker.restart();
    const before = appended;
    await eventually(() => expect(appended).toBeGreaterThan(before + 20));
    stop = true;
    await appending;
    const { fresh } = await sequencesOf(log, session);
    expect(fresh).toEqual(upTo(appended));
  });

  test("waits for a broker that hangs", async () => {
    const log = await open();
    const session = newId();
    await log.append(facts(session, 5).map(log.mask));
    await broker.kill("SIGSTOP");
    const { produced } = proxy;
    const append = log.append(facts(session, 5, 6).map(log.mask));
    await eventually(() => expect(proxy.produced).toBeGreaterThan(produced));
    // It connects again once the first try has been given up.
    const { connections } = proxy;
    await eventually(() => expect(proxy.connections).toBeGreaterThan(connections));
    await broker.kill("SIGCONT");
    await append;
    expect((await sequencesOf(log, session)).fresh).toEqual(upTo(10));
  });

  test("says so when the brokers stay away, and takes the same events again later", async () => {
    const log = await open({ patienceMs: 800 });
    const session = newId();
    await log.append(facts(session, 5).map(log.mask));
    proxy.cut(true);
    const first = log.append(facts(session, 5, 6).map(log.mask));
    const second = log.append(facts(session, 5, 11).map(log.mask));
    for (const append of [first, second]) {
      await expect(append).rejects.toMatchObject({ code: "ATLAS_LOG_UNREACHABLE", retryable: true });
    }
    proxy.cut(false);
    await log.append(facts(session, 10, 6).map(log.mask));
    expect((await sequencesOf(log, session)).fresh).toEqual(upTo(15));
  });

  test("is only delayed by a registry that is away, in reading not at all", async () => {
    const log = await open();
    const session = newId();
    await registry.kill();
    const append = log.append(facts(session, 5).map(log.mask));
    await registry.restart();
    await append;
    await registry.kill();
    // What is known by now needs no registry, and neither does opening or reading a log.
    await log.append(facts(session, 5, 6).map(log.mask));
    expect((await sequencesOf(log, session)).fresh).toEqual(upTo(10));
    const another = await open();
    const waiting = another.append(facts(session, 5).map(another.mask));
    await registry.restart();
    await waiting;
    expect((await sequencesOf(another, session)).fresh).toEqual(upTo(5));
  });

  test("says so when the registry stays away", async () => {
    const log = await open({ schemaRegistryUrl: "http://127.0.0.1:9/none", patienceMs: 500 });
    await expect(log.append(facts(newId(), 1).map(log.mask))).rejects.toMatchObject({
      code: "ATLAS_REGISTRY_UNREACHABLE",
      retryable: true,
    });
  });

  test("reads on after the connection broke in the middle", async () => {
    const log = await open();
    const session = newId();
    await log.append(
      Array.from({ length: 40 }, (_, index) => fact(session, index + 1, "x".repeat(200_000))).map(log.mask),
    );
    const sequences: number[] = [];
    for await (const batch of log.read(["atlas.sessions"])) {
      for (const { event } of batch) sequences.push(event.meta.sequence);
      if (sequences.length < 20) {
        proxy.cut(true);
        setTimeout(() => proxy.cut(false), 200);
      }
    }
    expect(sequences).toEqual(upTo(40));
  });

  test("says within the time that it is given that no broker answers", async () => {
    const opening = openKafkaLog({
      brokers: ["127.0.0.1:9"],
      schemaRegistryUrl: registry.schemaRegistryUrl,
      openTimeoutMs: 2000,
    });
    await expect(opening).rejects.toMatchObject({
      code: "ATLAS_LOG_UNREACHABLE",
      where: "kafka://127.0.0.1:9",
    });
  });
});
