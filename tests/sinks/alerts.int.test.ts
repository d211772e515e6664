import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type Alerting, type AlertingOptions, retryingSinks, startAlerting } from "../../app/alerting.ts";
import { EMBEDDED_TABLES } from "../../app/open-store.ts";
import { rebuild } from "../../app/rebuild.ts";
import type { Database } from "../../database/database.ts";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { loopFound } from "../../examples/processors/loop-detection.ts";
import type { EventLog } from "../../log/event-log.ts";
import { prepareLogTables } from "../../log/log-tables.ts";
import { openPostgresLog } from "../../log/postgres/open-postgres-log.ts";
import { createEvent } from "../../schemas/codec.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import { ALERT_TOPICS } from "../../sinks/alerts/alert-consumer.ts";
import { listDeliveries, retryFailed } from "../../sinks/alerts/delivery-store.ts";
import { signatureOf } from "../../sinks/alerts/sign.ts";
import { judgedSession } from "../app/judged.ts";
import { folderForTest, opened } from "../app/opened.ts";
import { atlas as cli, userFolder } from "../cli/from-source.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import { kafkaUnderTest } from "../log/kafka-under-test.ts";
import { looks } from "../looks.ts";
import { kafka, missing, postgres } from "../services/services.ts";
import { destinationsOf, driftFact, rewardFact } from "./alerts-facts.ts";
import { startReceiver } from "./alerts-receiver.ts";

const pager = (url: string) => ({ type: "webhook", name: "pager", url, allowPrivate: true }) as const;

async function alerting(
  log: EventLog,
  alerts: Parameters<typeof destinationsOf>[0],
  options: AlertingOptions = {},
): Promise<Alerting> {
  const started = await startAlerting(log, destinationsOf(alerts), { graceMs: 200, ...options });
  onTestFinished(() => started.stop());
  return started;
}

/** Waits until the alerts of everything in the log are kept. */
const kept = async (log: EventLog): Promise<void> =>
  log.caughtUp("alerts", await log.ends(ALERT_TOPICS), { timeoutMs: LIMIT_MS });

const statuses = async (db: Database): Promise<string[]> =>
  (await listDeliveries(db, { statuses: ["pending", "delivered", "failed"], limit: 100 })).map(
    ({ destination, status }) => `${destination} ${status}`,
  );

const PLACES = [
  { name: "embedded", skip: false, place: async () => join(folderForTest(), "pgdata") },
  {
    name: "a Postgres server",
    skip: await missing("postgres"),
    place: async () => (await postgres()).url,
  },
];

describe.for(PLACES.filter(({ skip }) => !skip))("on $name", ({ place }) => {
  async function newLog(): Promise<{ log: EventLog; db: Database; at: string }> {
    const at = await place();
    const embedded = !at.includes("://");
    const db = await (embedded ? openEmbedded(at, { tables: EMBEDDED_TABLES }) : openPostgres(at));
    await prepareLogTables(db);
    const log = await openPostgresLog({ db, embedded });
    onTestFinished(async () => {
      await log.close();
      await db.close();
    });
    return { log, db, at };
  }

  test("news reaches those that asked for it, once; history, branches, revisions and old facts nobody", async () => {
    const { log, db } = await newLog();
    const [all, rewards] = [await startReceiver(), await startReceiver()];
    await log.append([driftFact(), rewardFact(0.1)].map(log.mask));
    await alerting(log, [
      pager(all.url),
      { ...pager(rewards.url), name: "rewards", on: ["reward"], rewardBelow: 0.4 },
    ]);
    const news = driftFact();
    const low = rewardFact(0.2);
    await log.append(
      [
        driftFact({}, { branch: "stricter" }),
        driftFact({}, { revision: 1 }),
        driftFact({}, { ageHours: 200 }),
        driftFact({ direction: "improvement" }),
        rewardFact(0.1, { branch: "stricter" }),
        rewardFact(0.8),
        news,
        low,
      ].map(log.mask),
    );
    await eventually(() => expect([all.keys().length, rewards.keys().length]).toEqual([1, 1]));
    await kept(log);
    await Promise.all([looks("alerts/pager"), looks("alerts/rewards")]);
    expect(all.keys()).toEqual([`${news.meta.event_id}:pager`]);
    expect(rewards.keys()).toEqual([`${low.meta.event_id}:rewards`]);
    expect((await statuses(db)).sort()).toEqual(["pager delivered", "rewards delivered"]);
  });

  test("an event of a user's own reaches those that asked for it", async () => {
    const { log, db } = await newLog();
    await log.define([loopFound]);
    const receiver = await startReceiver();
    const started = await alerting(log, [
      { ...pager(receiver.url), on: ["event"], events: ["acme.LoopFound"] },
    ]);
    const found = loopFound.create(
      { source: "test", sequence: 1, session_id: newId() },
      { tool: "search", arguments: "{}", times: 5 },
    );
    await log.append([found, driftFact()].map(log.mask));
    await log.caughtUp("alerts", await log.ends(started.topics), { timeoutMs: LIMIT_MS });
    await eventually(() => expect(receiver.keys()).toEqual([`${found.meta.event_id}:pager`]));
    expect(await listDeliveries(db, { statuses: ["delivered"], limit: 10 })).toMatchObject([
      { kind: "event", learningKey: null, sessionId: found.meta.session_id },
    ]);
  });

  test("a destination that is down holds up nobody, is tried again, and then listed", async () => {
    const { log, db } = await newLog();
    const good = await startReceiver();
    const bad = await startReceiver((response) => response.writeHead(500).end());
    const outcomes: string[] = [];
    await alerting(
      log,
      [
        { ...pager(bad.url), name: "down", maxAttempts: 2 },
        { ...pager("http://127.0.0.1:9/"), name: "gone", timeoutSeconds: 1 },
        pager(good.url),
      ],
      { onDelivery: (destination, outcome) => outcomes.push(`${destination} ${outcome}`) },
    );
    await log.append([driftFact(), driftFact()].map(log.mask));
    await eventually(() => expect(good.keys()).toHaveLength(2));
    await eventually(async () => expect(await statuses(db)).toEqual(expect.arrayContaining(["down failed"])));
    await kept(log);
    await eventually(async () =>
      expect((await statuses(db)).filter((each) => each === "down failed")).toHaveLength(2),
    );
    expect(await statuses(db)).toContain("gone pending");
    expect(outcomes).toEqual(expect.arrayContaining(["down retried", "down failed", "gone retried"]));
    expect(new Set(bad.keys()).size).toBe(2);
    expect(bad.keys()).toHaveLength(4);
    const [failed] = await listDeliveries(db, { statuses: ["failed"], limit: 1 });
    expect(failed).toMatchObject({ attempts: 2, lastError: "it answered 500" });
    expect(await retryFailed(db, "down")).toBe(2);
    await eventually(() => expect(bad.keys().length).toBeGreaterThan(4));
  });

  test("what is kept of a session goes when that is erased", async () => {
    const { log, db } = await newLog();
    await alerting(log, [{ ...pager("http://127.0.0.1:9/"), timeoutSeconds: 1 }]);
    const [fact, other] = [driftFact(), driftFact()];
    await log.append([fact, other].map(log.mask));
    await kept(log);
    const session_id = fact.meta.session_id ?? null;
    const meta = { event_id: newId(), session_id, source: `erase/${newId()}`, sequence: 1 };
    await log.append(
      [
        createEvent(
          "SessionErased",
          { ...meta, occurred_at: nowMicros(), time_assumed: false },
          { learning_key: fact.learning_key, author: "test" },
        ),
      ].map(log.mask),
    );
    await kept(log);
    const left = await listDeliveries(db, { statuses: ["pending", "delivered", "failed"], limit: 100 });
    expect(left.map(({ sessionId }) => sessionId)).toEqual([other.meta.session_id]);
  });

  test("Retry-After is waited for, and every attempt has the same key and body", async () => {
    const { log } = await newLog();
    const receiver = await startReceiver((response, request) =>
      request === 0 ? response.writeHead(429, { "retry-after": "3" }).end() : response.writeHead(200).end(),
    );
    await alerting(log, [pager(receiver.url)]);
    await log.append([driftFact()].map(log.mask));
    await eventually(() => expect(receiver.received).toHaveLength(2));
    const [first, second] = receiver.received;
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(2900);
    expect(second!.body).toBe(first!.body);
    expect(new Set(receiver.keys()).size).toBe(1);
  });

  test("killed after the alert arrived and before that was noted: it comes again under the same key", async () => {
    const { log, at } = await newLog();
    let child: ChildProcess | undefined;
    const receiver = await startReceiver((response, request) => {
      if (request === 0) child!.kill("SIGKILL");
      else response.writeHead(204).end();
    });
    child = spawn(process.execPath, [join(import.meta.dirname, "alerts-child.ts"), at, receiver.url], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    onTestFinished(() => void child?.kill("SIGKILL"));
    // Its first look at the log is the start: what comes after it is news.
    await eventually(async () => {
      const { rows } = await log.db!.query("select 1 from atlas_log.group_starts limit 1");
      expect(rows).toHaveLength(1);
    });
    const news = driftFact();
    await log.append([news].map(log.mask));
    await eventually(() => expect(receiver.received).toHaveLength(1));
    await alerting(log, [{ ...pager(receiver.url), timeoutSeconds: 1 }]);
    await eventually(() => expect(receiver.received).toHaveLength(2));
    await looks("alerts/pager");
    expect(receiver.keys()).toEqual(Array(2).fill(`${news.meta.event_id}:pager`));
    expect(receiver.received[1]!.body).toBe(receiver.received[0]!.body);
  });
});

test("the whole way: sessions judged today raise an alert, a rebuild and an import of old ones raise none", async () => {
  const receiver = await startReceiver();
  const alerts = [{ ...pager(receiver.url), on: ["reward"], rewardBelow: 0.5 }] as const;
  const atlas = await opened(folderForTest(), { alerts });
  const rulesHash = await atlas.rules.ensure(atlas.config.rules);
  // A year ago, as an import has them.
  await atlas.log.append(judgedSession(1, { outcome: 0.1 }, rulesHash).map(atlas.log.mask));
  const now = Date.now() * 1000;
  const today = judgedSession(2, { outcome: 0.2 }, rulesHash).map((event, index) => ({
    ...event,
    meta: { ...event.meta, occurred_at: now + index },
  }));
  await atlas.log.append(today.map(atlas.log.mask));
  await atlas.settled();
  await kept(atlas.log);
  await eventually(() => expect(receiver.received).toHaveLength(1));
  expect(JSON.parse(receiver.received[0]!.body)).toMatchObject({
    session_id: today[0]!.meta.session_id,
    reward: { score: 0.2, crossed: "below" },
  });
  await rebuild(atlas, { derived: true, mayPublish: async () => true });
  await atlas.settled();
  await kept(atlas.log);
  await looks("alerts/pager");
  expect(receiver.received).toHaveLength(1);
});

describe.skipIf(await missing("kafka", "postgres"))("on Kafka", () => {
  const closing: (() => Promise<void>)[] = [];
  let underTest: Awaited<ReturnType<typeof kafkaUnderTest>>;
  let services: Awaited<ReturnType<typeof kafka>>;

  beforeAll(async () => {
    services = await kafka();
    const db = await openPostgres((await postgres()).url);
    await prepareLogTables(db);
    underTest = await kafkaUnderTest(services, db, () => db.close(), { maxWaitTimeMs: 200 });
    closing.push(underTest.close);
  });
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  });

  test("news is delivered; to a fresh database the same log is history", async () => {
    const log = await underTest.open();
    closing.push(() => log.close());
    const receiver = await startReceiver();
    const first = await startAlerting(log, destinationsOf([pager(receiver.url)]), { graceMs: 200 });
    const news = driftFact();
    await log.append([news].map(log.mask));
    await eventually(() => expect(receiver.keys()).toEqual([`${news.meta.event_id}:pager`]));
    await first.stop();

    const db = await openPostgres((await postgres()).url);
    await prepareLogTables(db);
    const { openKafkaLog } = await import("../../log/kafka/open-kafka-log.ts");
    const fresh = await openKafkaLog({ ...services, db, topicPrefix: underTest.prefix, maxWaitTimeMs: 200 });
    const second = await startAlerting(fresh, destinationsOf([pager(receiver.url)]), { graceMs: 200 });
    await kept(fresh);
    await looks("alerts/pager");
    expect(receiver.received).toHaveLength(1);
    const later = driftFact();
    await fresh.append([later].map(fresh.mask));
    await eventually(() => expect(receiver.keys()).toContain(`${later.meta.event_id}:pager`));
    await second.stop();
    await fresh.close();
    await db.close();
  });

  test("an event of a user's own reaches those that asked for it, from its own topic", async () => {
    const log = await underTest.open();
    closing.push(() => log.close());
    await log.define([loopFound]);
    const receiver = await startReceiver();
    const of = { ...pager(receiver.url), name: "loops", on: ["event"], events: ["acme.LoopFound"] } as const;
    const started = await alerting(log, [of]);
    const found = loopFound.create(
      { source: "test", sequence: 1, session_id: newId() },
      { tool: "search", arguments: "{}", times: 5 },
    );
    await log.append([found].map(log.mask));
    await log.caughtUp("alerts", await log.ends(started.topics), { timeoutMs: LIMIT_MS });
    await eventually(() => expect(receiver.keys()).toEqual([`${found.meta.event_id}:loops`]));
    expect(await listDeliveries(log.db!, { statuses: ["delivered"], limit: 10 })).toContainEqual(
      expect.objectContaining({ kind: "event", destination: "loops", sessionId: found.meta.session_id }),
    );
  });
});

test("`atlas alerts` lists what failed, and makes it due again", async () => {
  const folder = userFolder();
  const receiver = await startReceiver((response) => response.writeHead(500).end());
  writeFileSync(
    join(folder, "atlas.yaml"),
    `alerts: [{type: webhook, name: pager, url: "${receiver.url}", allow_private: true, max_attempts: 1}]\n`,
  );
  const atlas = await opened(folder, { alerts: [{ ...pager(receiver.url), maxAttempts: 1 }] });
  await atlas.log.append([driftFact({}, { learningKey: "bil\u001bling" })].map(atlas.log.mask));
  await eventually(async () => expect(await statuses(atlas.db)).toEqual(["pager failed"]));
  const run = (...args: string[]) => cli(folder, ["alerts", ...args, "--config", "atlas.yaml"]);
  const listed = await run("list");
  expect(listed.stdout, listed.stderr).toMatch(/pager +failed +1 +drift +bil\\u001bling .* it answered 500/);
  expect((await run("list", "--limit", "none")).code).toBe(2);
  await atlas.host!.alerting!.stop();
  expect((await run("retry", "--destination", "other")).stdout).toBe("0 failed alerts are due again.\n");
  expect((await run("retry")).stdout).toBe("1 failed alert is due again.\n");
  const json = JSON.parse((await run("list", "--json")).stdout) as { status: string }[];
  expect(json).toMatchObject([{ status: "pending", attempts: 0 }]);
});

test("a record that was set aside is told about when it is retried", async () => {
  const receiver = await startReceiver();
  const atlas = await opened(folderForTest(), { alerts: [pager(receiver.url)] });
  const { alerts: apply } = await retryingSinks(atlas.log, atlas.config.alerts);
  const event = driftFact();
  const ends = await atlas.log.ends(["atlas.drift"]);
  const place = { topic: "atlas.drift", partition: 0, offset: ends.get("atlas.drift")![0]! } as const;
  await atlas.db.transaction((tx) =>
    apply!([{ ...place, key: event.learning_key, appendedAt: event.meta.occurred_at, event }], {
      tx,
      partition: 0,
      emit: () => undefined,
    }),
  );
  await eventually(() => expect(receiver.keys()).toEqual([`${event.meta.event_id}:pager`]));
});

test("a request is signed over what is received; one to Slack, and one without a secret, is not", async () => {
  const [signed, plain, slack] = [await startReceiver(), await startReceiver(), await startReceiver()];
  vi.stubEnv("PAGER_SECRET", "s3cret");
  onTestFinished(() => void vi.unstubAllEnvs());
  const atlas = await opened(folderForTest(), {
    alerts: [
      { ...pager(signed.url), secretEnv: "PAGER_SECRET" },
      { ...pager(plain.url), name: "plain" },
      { ...pager(slack.url), type: "slack", name: "team" },
    ],
  });
  await atlas.log.append([driftFact()].map(atlas.log.mask));
  const receivers = [signed, plain, slack];
  await eventually(() => expect(receivers.map(({ received }) => received.length)).toEqual([1, 1, 1]));
  const [{ headers, body }] = signed.received as [(typeof signed.received)[number]];
  const timestamp = Number(headers["atlas-timestamp"]);
  expect(Math.abs(Date.now() / 1000 - timestamp)).toBeLessThan(30);
  expect(headers["atlas-signature"]).toBe(signatureOf("s3cret", timestamp, body));
  expect(headers["idempotency-key"]).toBe((JSON.parse(body) as { idempotency_key: string }).idempotency_key);
  expect(JSON.parse(slack.received[0]!.body)).toHaveProperty("blocks");
  for (const { received } of [plain, slack])
    expect(received[0]!.headers).not.toHaveProperty("atlas-signature");
});
