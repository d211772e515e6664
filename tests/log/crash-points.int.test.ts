import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../../database/database.ts";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { Apply, EventLog, OutgoingRecord, RawRecord } from "../../log/event-log.ts";
import { appendRecords } from "../../log/postgres/event-store.ts";
import { openPostgresLog } from "../../log/postgres/open-postgres-log.ts";
import { type Assignment, type AssignmentOptions, claimAssignment } from "../../log/runner/assignment.ts";
import { createEvent } from "../../schemas/codec.ts";
import { idOf } from "../../schemas/identity.ts";
import { alreadyMasked } from "../../schemas/masked.ts";
import { LIMIT_MS } from "../eventually.ts";
import { facts } from "./facts.ts";

const SESSION = "01a205d0-626c-7728-8324-9cb0f586440b";

/*
 * An assignment whose log is not in its database publishes through an outbox, as on Kafka. Here the owner dies at
 * each point of that way (it is left where it stands and another one claims its partition): what readers see is what
 * one undisturbed run would have shown them.
 */
describe("an owner that dies", () => {
  let folder: string;
  let db: Database;
  let log: EventLog;
  let input: RawRecord[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "atlas-crash-"));
    db = await openEmbedded(folder);
    log = await openPostgresLog({ db, embedded: true });
    await db.query("create table effects (sequence int)");
    await log.append(facts(SESSION, 6).map(log.mask));
    input = [];
    for await (const batch of log.readRaw(["atlas.sessions"])) for (const record of batch) input.push(record);
  });
  afterEach(async () => {
    await log.close();
    await db.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Writes each fact down and emits one event for it, whose bytes depend on `rules`. */
  const echo =
    (rules = "first"): Apply =>
    async (batch, unit) => {
      for (const { event } of batch)
        await unit.tx.query("insert into effects values ($1)", [event.meta.sequence]);
      unit.emit(
        batch.map(({ event }) =>
          alreadyMasked(
            createEvent(
              "ReviewStatusChanged",
              {
                ...event.meta,
                event_id: idOf("echo", event.meta.event_id),
                source: `echo/${event.meta.source}`,
              },
              {
                learning_key: "k",
                from_status: "pending",
                to_status: "approved",
                because: "rule",
                note: rules,
              },
            ),
          ),
        ),
      );
    };

  const claim = (over: Partial<AssignmentOptions> = {}): Promise<Assignment> =>
    claimAssignment({
      db,
      logId: log.id,
      group: "echo",
      partition: input[0]!.partition,
      partitions: log.partitions,
      topics: ["atlas.sessions"],
      member: "test",
      batchSize: 3,
      apply: echo(),
      mask: log.mask,
      publish: (records) => appendRecords(db, records),
      ...over,
    });

  /** What a consumer of the emitted topic is given, repetitions dropped. */
  const seen = async (): Promise<string[]> => {
    const received: string[] = [];
    const consumer = await log.consume(
      { group: `reader-${Math.random()}`, topics: ["atlas.review-status"] },
      async (batch) => {
        for (const { event } of batch)
          received.push(`${event.meta.sequence} ${event.type === "ReviewStatusChanged" ? event.note : ""}`);
      },
    );
    await log.caughtUp(consumer.group, await log.ends(["atlas.review-status"]), { timeoutMs: LIMIT_MS });
    await consumer.stop();
    return received;
  };
  const effects = async (): Promise<number[]> =>
    (await db.query<{ sequence: number }>("select sequence from effects order by sequence")).rows.map(
      (row) => row.sequence,
    );
  const whole = {
    effects: [1, 2, 3, 4, 5, 6],
    seen: [1, 2, 3, 4, 5, 6].map((sequence) => `${sequence} first`),
  };

  const dead = new AtlasError("ATLAS_LOG_CLOSED", "the process died here");
  const die = async (): Promise<never> => {
    throw dead;
  };
  /** A database whose process dies around the commit of its n-th transaction. */
  const dyingAt = (nth: number, when: "before" | "after"): Database => {
    let transactions = 0;
    return {
      ...db,
      query: db.query,
      transaction: async (body) => {
        transactions += 1;
        if (transactions !== nth) return db.transaction(body);
        if (when === "before") return db.transaction((tx) => body(tx).then(die));
        await db.transaction(body);
        return die();
      },
    };
  };
  const finish = async (rules?: string, records = input): Promise<void> => {
    const next = await claim({ apply: echo(rules) });
    await next.apply("atlas.sessions", records);
  };

  test("before its commit", async () => {
    const owner = await claim({ db: dyingAt(2, "before") });
    await expect(owner.apply("atlas.sessions", input)).rejects.toBe(dead);
    await finish();
    expect({ effects: await effects(), seen: await seen() }).toEqual(whole);
  });

  test("after its commit, before it published", async () => {
    const owner = await claim({ db: dyingAt(2, "after") });
    await expect(owner.apply("atlas.sessions", input)).rejects.toBe(dead);
    await finish();
    expect({ effects: await effects(), seen: await seen() }).toEqual(whole);
  });

  test("in the middle of publishing", async () => {
    const owner = await claim({
      publish: (records) => appendRecords(db, records.slice(0, 2)).then(die),
    });
    await expect(owner.apply("atlas.sessions", input)).rejects.toBe(dead);
    await finish();
    expect({ effects: await effects(), seen: await seen() }).toEqual(whole);
  });

  test("after the log acknowledged, before it emptied its outbox", async () => {
    const owner = await claim({ publish: (records) => appendRecords(db, records).then(die) });
    await expect(owner.apply("atlas.sessions", input)).rejects.toBe(dead);
    await finish();
    expect({ effects: await effects(), seen: await seen() }).toEqual(whole);
  });

  test("and whose rules are others when it starts again: what was committed keeps its bytes", async () => {
    const owner = await claim({ publish: die });
    await expect(owner.apply("atlas.sessions", input.slice(0, 3))).rejects.toBe(dead);
    await finish("second");
    const notes = [1, 2, 3, 4, 5, 6].map((sequence) => `${sequence} ${sequence <= 3 ? "first" : "second"}`);
    expect({ effects: await effects(), seen: await seen() }).toEqual({ ...whole, seen: notes });
  });

  test("and wakes up after its assignment was taken over", async () => {
    const paused = await claim();
    await paused.apply("atlas.sessions", input.slice(0, 3));
    const next = await claim();
    await expect(paused.apply("atlas.sessions", input)).rejects.toMatchObject({
      code: "ATLAS_ASSIGNMENT_LOST",
    });
    await next.apply("atlas.sessions", input);
    await expect(paused.apply("atlas.sessions", input)).rejects.toMatchObject({
      code: "ATLAS_ASSIGNMENT_LOST",
    });
    expect({ effects: await effects(), seen: await seen() }).toEqual(whole);
  });

  test("and publishes late what its successor has published already", async () => {
    let late: readonly OutgoingRecord[] = [];
    const paused = await claim({
      publish: async (records) => {
        late = records;
        return die();
      },
    });
    await expect(paused.apply("atlas.sessions", input.slice(0, 3))).rejects.toBe(dead);
    await finish();
    await appendRecords(db, late);
    expect({ effects: await effects(), seen: await seen() }).toEqual(whole);
  });

  test("and was only paused after it published deletes nothing that its successor has not published", async () => {
    const published = Promise.withResolvers<void>();
    const awake = Promise.withResolvers<void>();
    const paused = await claim({
      publish: async (records) => {
        await appendRecords(db, records);
        published.resolve();
        await awake.promise;
      },
    });
    const late = paused.apply("atlas.sessions", input.slice(0, 3));
    await published.promise;
    await finish("first", input.slice(0, 3));
    // The successor of the successor commits its unit, and the paused one wakes up before it publishes.
    const next = await claim({
      publish: async (records) => {
        awake.resolve();
        await expect(late).rejects.toMatchObject({ code: "ATLAS_ASSIGNMENT_LOST" });
        await appendRecords(db, records);
      },
    });
    await next.apply("atlas.sessions", input);
    expect({ effects: await effects(), seen: await seen() }).toEqual(whole);
  });

  test("leaves numbers in its outbox that are never given again", async () => {
    const numbers = async (): Promise<number[]> =>
      (
        await db.query<{ number: number }>("select number::int from atlas_log.outbox order by number")
      ).rows.map(({ number }) => number);
    await expect((await claim({ publish: die })).apply("atlas.sessions", input.slice(0, 3))).rejects.toBe(
      dead,
    );
    expect(await numbers()).toEqual([1, 2, 3]);
    await (await claim()).publish();
    expect(await numbers()).toEqual([]);
    await expect((await claim({ publish: die })).apply("atlas.sessions", input)).rejects.toBe(dead);
    expect(await numbers()).toEqual([4, 5, 6]);
  });

  test("or is refused by the log for good: no record's fault, nothing lost, and it goes on once that is mended", async () => {
    const refusal = new AtlasError("ATLAS_LOG_MISCONFIGURED", "no write access", { hint: "Grant it." });
    let refuse = true;
    let deadLetters = 0;
    const publish = async (records: readonly OutgoingRecord[]): Promise<void> => {
      if (refuse) throw refusal;
      await appendRecords(db, records);
    };
    const owner = await claim({
      publish,
      onDeadLetter: () => {
        deadLetters += 1;
      },
    });
    const expected = { code: "ATLAS_PUBLISH_REFUSED", hint: "Grant it." };
    await expect(owner.apply("atlas.sessions", input)).rejects.toMatchObject(expected);
    expect({ next: owner.nextOffset("atlas.sessions"), waits: owner.hasUnpublished }).toEqual({
      next: input[3]!.offset,
      waits: true,
    });
    await expect(owner.apply("atlas.sessions", input)).rejects.toMatchObject(expected);
    await expect(owner.publish()).rejects.toMatchObject(expected);
    expect({ next: owner.nextOffset("atlas.sessions"), deadLetters }).toEqual({
      next: input[3]!.offset,
      deadLetters: 0,
    });
    refuse = false;
    await owner.apply("atlas.sessions", input);
    expect({ effects: await effects(), seen: await seen(), deadLetters }).toEqual({
      ...whole,
      deadLetters: 0,
    });
  });

  test("whose connection broke while it committed does not apply twice", async () => {
    let broke = false;
    const owner = await claim({
      db: {
        ...db,
        query: db.query,
        transaction: async (body) => {
          const result = await db.transaction(body);
          if (broke) return result;
          broke = true;
          throw Object.assign(new Error("Connection terminated unexpectedly"), { code: "ECONNRESET" });
        },
      },
    });
    await owner.apply("atlas.sessions", input);
    expect({ effects: await effects(), seen: await seen() }).toEqual(whole);
  });

  test("and finds another record where it left off", async () => {
    const owner = await claim();
    await owner.apply("atlas.sessions", input.slice(0, 3));
    const other = input.map((record) => (record.offset === 2 ? { ...record, body: input[4]!.body } : record));
    await expect(owner.apply("atlas.sessions", other)).rejects.toMatchObject({ code: "ATLAS_LOG_REPLACED" });
  });
});
