import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../../database/database.ts";
import { openPostgres } from "../../database/pg-database.ts";
import type { Apply, EventLog } from "../../log/event-log.ts";
import { openKafkaLog } from "../../log/kafka/open-kafka-log.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import { partitionOf } from "../../schemas/partition.ts";
import { splitContent } from "../../traces/content.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import { kafka, missing, postgres } from "../services/services.ts";
import { facts } from "./facts.ts";
import { echo } from "./kafka-echo.ts";
import { freshPrefix, type KafkaServices, plainKafka } from "./kafka-under-test.ts";

const SESSION_TIMEOUT_MS = 6000;

describe.skipIf(await missing("kafka", "postgres"))("consumers of the kafka log", () => {
  let services: KafkaServices;
  let database: string;
  let topicPrefix: string;
  let db: Database;
  let log: EventLog;
  const members: ChildProcess[] = [];

  const open = (): Promise<EventLog> =>
    openKafkaLog({ ...services, topicPrefix, db, sessionTimeoutMs: SESSION_TIMEOUT_MS });

  beforeEach(async () => {
    services = await kafka();
    database = (await postgres()).url;
    topicPrefix = freshPrefix();
    db = await openPostgres(database);
    log = await open();
    await db.query("create table effects (source text, sequence int)");
  });
  afterEach(async () => {
    for (const member of members.splice(0)) {
      if (member.exitCode === null && member.signalCode === null) member.kill("SIGKILL");
    }
    await log.close();
    await db.close();
  });

  /** Starts a member in a process of its own, and waits until it has something to do. */
  const startMember = async (): Promise<ChildProcess & { stderrText: () => string }> => {
    const options = {
      ...services,
      topicPrefix,
      database,
      group: "echo",
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
    };
    const child = spawn(process.execPath, [
      join(import.meta.dirname, "kafka-member.ts"),
      JSON.stringify(options),
    ]);
    members.push(child);
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    for (;;) {
      const [said] = (await once(child.stdout, "data")) as [Buffer];
      if (Number(said.toString().trim().split("\n").at(-1)) > 0) break;
    }
    child.stdout.resume();
    return Object.assign(child, { stderrText: () => stderr });
  };
  const caughtUp = async (group: string): Promise<void> =>
    log.caughtUp(group, await log.ends(["atlas.sessions"]), { timeoutMs: LIMIT_MS });
  const effects = async (): Promise<string[]> => {
    const { rows } = await db.query<{ effect: string }>(
      "select source || '#' || sequence as effect from effects",
    );
    return rows.map(({ effect }) => effect).sort();
  };
  const expected = (sessions: readonly string[], count: number): string[] =>
    sessions
      .flatMap((session) => Array.from({ length: count }, (_, index) => `${session}#${index + 1}`))
      .sort();

  /** What a consumer of the emitted events is given: repetitions on the wire are not. */
  const emitted = async (): Promise<string[]> => {
    await db.query("create table heard (source text, sequence int)");
    const listen: Apply = async (batch, { tx }) => {
      for (const { event } of batch) {
        await tx.query("insert into heard values ($1, $2)", [event.meta.source, event.meta.sequence]);
      }
    };
    const listener = await log.consume({ group: "listener", topics: ["atlas.review-status"] }, listen);
    await log.caughtUp("listener", await log.ends(["atlas.review-status"]), { timeoutMs: LIMIT_MS });
    await listener.stop();
    const { rows } = await db.query<{ heard: string }>(
      "select substr(source, 6) || '#' || sequence as heard from heard",
    );
    return rows.map(({ heard }) => heard).sort();
  };

  test("a member that is killed leaves nothing undone and nothing done twice", async () => {
    const sessions = Array.from({ length: 40 }, newId);
    const append = async (first: number): Promise<void> => {
      await log.append(sessions.flatMap((session) => facts(session, 10, first)).map(log.mask));
    };
    const member = await startMember();
    const consumer = await log.consume({ group: "echo", topics: ["atlas.sessions"], batchSize: 20 }, echo);
    await eventually(() => expect(consumer.assignments).toHaveLength(4));
    await append(1);
    await append(11);
    member.kill("SIGKILL");
    await append(21);
    await caughtUp("echo");
    expect(consumer.assignments).toHaveLength(8);
    expect(await effects()).toEqual(expected(sessions, 30));
    expect(await emitted()).toEqual(expected(sessions, 30));
    expect(member.stderrText()).toBe("");
  });

  test("a member that slept through the takeover of its assignments changes nothing when it wakes", async () => {
    const sessions = Array.from({ length: 40 }, newId);
    const member = await startMember();
    for (let round = 0; round < 5; round += 1) {
      await log.append(sessions.flatMap((session) => facts(session, 4, 1 + round * 4)).map(log.mask));
    }
    member.kill("SIGSTOP");
    const consumer = await log.consume({ group: "echo", topics: ["atlas.sessions"], batchSize: 20 }, echo);
    await caughtUp("echo");
    expect(consumer.assignments).toHaveLength(8);
    member.kill("SIGCONT");
    await log.append(sessions.flatMap((session) => facts(session, 4, 21)).map(log.mask));
    await caughtUp("echo");
    await eventually(() => expect(consumer.assignments).toHaveLength(4));
    await log.append(sessions.flatMap((session) => facts(session, 4, 25)).map(log.mask));
    await caughtUp("echo");
    expect(await effects()).toEqual(expected(sessions, 28));
    expect(await emitted()).toEqual(expected(sessions, 28));
  });

  test("a unit may take longer than the group waits for a silent member", async () => {
    const session = newId();
    const other = await open();
    await log.append(facts(session, 3).map(log.mask));
    const applied: string[] = [];
    const slow =
      (name: string): Apply =>
      async (batch) => {
        await sleep(SESSION_TIMEOUT_MS + 2000);
        for (const { event } of batch) applied.push(`${name}#${event.meta.sequence}`);
      };
    const options = { group: "slow", topics: ["atlas.sessions"] as const };
    const [first, second] = [await log.consume(options, slow("a")), await other.consume(options, slow("b"))];
    await caughtUp("slow");
    await Promise.all([first.stop(), second.stop()]);
    await other.close();
    expect(applied.map((each) => each.slice(2)).sort()).toEqual(["1", "2", "3"]);
  });

  test("a slow assignment does not hold up the others", async () => {
    const sessions = Array.from({ length: 16 }, newId);
    const stuck = partitionOf(sessions[0]!, log.partitions);
    const free = sessions.filter((session) => partitionOf(session, log.partitions) !== stuck);
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const apply: Apply = async (batch, unit) => {
      if (unit.partition === stuck) await gate;
      await echo(batch, unit);
    };
    await log.consume({ group: "echo", topics: ["atlas.sessions"] }, apply);
    await log.append(sessions.flatMap((session) => facts(session, 5)).map(log.mask));
    await eventually(async () => expect(await effects()).toEqual(expected(free, 5)));
    release();
    await caughtUp("echo");
    expect(await effects()).toEqual(expected(sessions, 5));
  });

  test("stop when the log is truncated beyond them while they run", async () => {
    const session = newId();
    const partition = partitionOf(session, log.partitions);
    await log.append(facts(session, 10).map(log.mask));
    let applied = (): void => {};
    const once = new Promise<void>((resolve) => {
      applied = resolve;
    });
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const consumer = await log.consume({ group: "cut", topics: ["atlas.sessions"] }, async () => {
      applied();
      await gate;
    });
    await once;
    await log.append(facts(session, 10, 11).map(log.mask));
    const admin = plainKafka(services).admin();
    await admin.connect();
    await admin.fetchTopicMetadata({ topics: [`${topicPrefix}atlas.sessions`] });
    const partitions = [{ partition, offset: "15" }];
    await admin.deleteTopicRecords({ topic: `${topicPrefix}atlas.sessions`, partitions });
    await admin.disconnect();
    go();
    await expect(consumer.done).rejects.toMatchObject({ code: "ATLAS_LOG_REPLACED" });
    await expect(async () => {
      for await (const _ of log.read(["atlas.sessions"]));
    }).rejects.toMatchObject({ code: "ATLAS_LOG_REPLACED" });
  });

  test("show how far they are to tools that look at Kafka's committed offsets", async () => {
    const session = newId();
    await log.append(facts(session, 7).map(log.mask));
    const consumer = await log.consume({ group: "lag", topics: ["atlas.sessions"] }, async () => {});
    await caughtUp("lag");
    await consumer.stop();
    const admin = plainKafka(services).admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    const mirrored = groups.find(({ groupId }) => groupId.startsWith(`${topicPrefix}lag.`))!;
    const [found] = await admin.fetchOffsets({
      groupId: mirrored.groupId,
      topics: [`${topicPrefix}atlas.sessions`],
    });
    await admin.disconnect();
    const mine = found!.partitions.find(({ partition }) => partition === partitionOf(session, 8));
    expect(mine!.offset).toBe("7");
  });

  test("need a database", async () => {
    const bare = await openKafkaLog({ ...services, topicPrefix });
    await expect(bare.consume({ group: "x", topics: ["atlas.drift"] }, async () => {})).rejects.toMatchObject(
      {
        code: "ATLAS_CONFIG_INVALID",
      },
    );
    await bare.close();
  });

  test("a 20 MB content passes whole", async () => {
    const session = newId();
    const output = "0123456789abcdeé".repeat(1_200_000);
    let sequence = 0;
    const meta = (): AtlasEvent["meta"] => {
      sequence += 1;
      return {
        event_id: newId(),
        session_id: session,
        source: session,
        sequence,
        occurred_at: nowMicros(),
        time_assumed: false,
      };
    };
    const events = splitContent(
      log.mask(createEvent("ToolCallEnded", meta(), { call_id: "1", name: "cat", output })),
      meta,
    );
    expect(events.length).toBeGreaterThan(50);
    await log.append(events);
    const texts: string[] = [];
    await log.consume({ group: "long", topics: ["atlas.sessions"] }, async (batch) => {
      for (const { event } of batch) {
        if (event.type === "ToolCallEnded") texts.push(event.output ?? "");
        if (event.type === "ContentContinued") texts.push(event.text);
      }
    });
    await caughtUp("long");
    expect(texts.join("") === output).toBe(true);
  });
});
