import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../../database/database.ts";
import type { Apply, EventLog, LogRecord } from "../../log/event-log.ts";
import { MAX_EVENT_BYTES } from "../../log/outgoing.ts";
import { createEvent } from "../../schemas/codec.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import { alreadyMasked, type Mask, type Masked } from "../../schemas/masked.ts";
import type { Topic } from "../../schemas/topics.ts";
import { recordsOf } from "../as-readers.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import { Effects, effectsOf } from "./effects.ts";
import { fact, facts } from "./facts.ts";

/** One log of its own, and the ways to it. */
export interface LogUnderTest {
  /** Another handle on the same log, as another process would have one. */
  open(mask?: Mask): Promise<EventLog>;
  /** The database of consumers, of this test alone. */
  db: Database;
  /** Makes the log forget its oldest records of a partition, as a truncation would. */
  truncate(topic: string, partition: number, before: number): Promise<void>;
  /** Puts a record into the log that no event was encoded to. */
  poison(log: EventLog, session: string): Promise<void>;
  /** Puts an event into the log that a newer version of this package wrote. */
  newer(log: EventLog, session: string): Promise<void>;
  /** Makes the log refuse what is appended to a topic from now on; call the result to end that. */
  refuse(topic: Topic): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** A moment after everything that has happened, and before everything that happens next. */
async function between(): Promise<Date> {
  const later = async (than: number) => eventually(() => expect(Date.now()).toBeGreaterThan(than + 1), 2);
  await later(Date.now());
  const middle = new Date();
  await later(middle.getTime());
  return middle;
}

const all = async (log: EventLog, ...range: [] | [Parameters<EventLog["read"]>[1]]): Promise<LogRecord[]> => {
  const records: LogRecord[] = [];
  for await (const batch of log.read(["atlas.sessions"], ...range))
    for (const record of batch) records.push(record);
  return records;
};

/** What every log must do, whatever it is made of. */
export function logContract(name: string, create: () => Promise<LogUnderTest>): void {
  describe(`the log contract on ${name}`, () => {
    let under: LogUnderTest;
    let log: EventLog;
    let done: Effects;
    const opened: EventLog[] = [];
    const open = async (mask?: Mask): Promise<EventLog> => {
      const another = await under.open(mask);
      opened.push(another);
      return another;
    };

    beforeEach(async () => {
      under = await create();
      log = await open();
      done = new Effects(under.db);
      await done.prepare();
    });
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close();
      await under.close();
    });

    const writeDown = (group: string, before?: Apply): Apply => done.writeDown(group, before);
    const effects = (group: string): Promise<string[]> => done.of(group);
    const expected = effectsOf;
    const caughtUp = async (group: string): Promise<void> =>
      log.caughtUp(group, await log.ends(["atlas.sessions"]), { timeoutMs: LIMIT_MS });

    test("keeps the order of each key", async () => {
      const sessions = Array.from({ length: 5 }, newId);
      for (let sequence = 1; sequence <= 40; sequence += 1)
        await log.append(sessions.map((session) => fact(session, sequence)).map(log.mask));
      const records = await recordsOf(log, ["atlas.sessions"]);
      for (const session of sessions) {
        const sequences = records
          .filter((record) => record.key === session)
          .map((record) => record.event.meta.sequence);
        expect(sequences).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
      }
    });

    test("has what a resolved append confirmed, also through another handle", async () => {
      const session = newId();
      await log.append(facts(session, 3).map(log.mask));
      const other = await open();
      expect((await all(other)).map((record) => record.event.meta.sequence)).toEqual([1, 2, 3]);
    });

    test("takes an append however soon after the acknowledgement of the one before", async () => {
      const session = newId();
      const appended = facts(session, 12).map(log.mask);
      for (const [turns, event] of appended.entries()) {
        await log.append([event]);
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      }
      expect(await recordsOf(log, ["atlas.sessions"])).toHaveLength(12);
    });

    test("gives back what was appended, bit for bit", async () => {
      const event = createEvent(
        "SessionStarted",
        {
          event_id: newId(),
          session_id: newId(),
          source: "s",
          sequence: 1,
          occurred_at: nowMicros(),
          time_assumed: true,
          trace_id: "0af7651916cd43dd8448eb211c80319c",
        },
        {
          task: "naïve — “quoted” \u2028 🦆",
          learning_key: "k",
          agent: "a",
          metadata: '{"__proto__":1,"n":1.0}',
          tags: ["x"],
        },
      );
      await log.append([event].map(log.mask));
      const [record] = await all(log);
      expect(JSON.parse(JSON.stringify(record!.event))).toMatchObject(JSON.parse(JSON.stringify(event)));
    });

    test("never hides a record of concurrent appenders from a reader", async () => {
      const sessions = Array.from({ length: 8 }, newId);
      let appending = true;
      const appenders = Promise.all(
        sessions.map(async (session) => {
          for (let sequence = 1; sequence <= 30; sequence += 1)
            await log.append([fact(session, sequence)].map(log.mask));
        }),
      ).then(() => {
        appending = false;
      });
      // A reader that goes on from where it was must meet every offset.
      const next = new Map<number, number>();
      const seen = new Set<string>();
      const reader = await open();
      const readOn = async (): Promise<void> => {
        const ends = (await reader.ends(["atlas.sessions"])).get("atlas.sessions")!;
        for (const [partition, end] of ends.entries()) {
          const from = next.get(partition) ?? 0;
          if (end === from) continue;
          for (const record of await all(reader, { partition, fromOffset: from, untilOffset: end })) {
            expect(record.offset).toBe(next.get(partition) ?? 0);
            next.set(partition, record.offset + 1);
            seen.add(`${record.event.meta.source}#${record.event.meta.sequence}`);
          }
        }
      };
      while (appending) await readOn();
      await appenders;
      await readOn();
      // A record may stand on the wire twice after a lost answer; none may be missing.
      expect(seen.size).toBe(240);
    });

    test("reads a range of offsets", async () => {
      const session = newId();
      await log.append(facts(session, 20).map(log.mask));
      const { partition } = (await all(log))[0]!;
      const range = await all(log, { partition, fromOffset: 5, untilOffset: 9 });
      expect(range.map((record) => record.offset)).toEqual([5, 6, 7, 8]);
      expect(await all(log, { partition, fromOffset: 20 })).toEqual([]);
      expect((await all(log, { partition, fromOffset: 18, untilOffset: 99 })).length).toBe(2);
    });

    test("reads a range of append times", async () => {
      const session = newId();
      await log.append(facts(session, 3).map(log.mask));
      const middle = await between();
      await log.append(facts(session, 3, 4).map(log.mask));
      expect((await all(log, { from: middle })).map((record) => record.event.meta.sequence)).toEqual([
        4, 5, 6,
      ]);
      expect((await all(log, { until: middle })).map((record) => record.event.meta.sequence)).toEqual([
        1, 2, 3,
      ]);
      expect(await all(log, { from: new Date(Date.now() + 60_000) })).toEqual([]);
    });

    test("refuses what is no event, and appends nothing of it", async () => {
      const session = newId();
      const wrong = { ...fact(session, 2), step_id: "two" } as never;
      await expect(log.append([fact(session, 1), wrong].map(log.mask))).rejects.toMatchObject({
        code: "ATLAS_EVENT_INVALID",
      });
      await expect(
        log.append([fact(session, 1, "x".repeat(MAX_EVENT_BYTES))].map(log.mask)),
      ).rejects.toMatchObject({
        code: "ATLAS_EVENT_TOO_LARGE",
      });
      expect(await all(log)).toEqual([]);
    });

    test("applies each record once, also when it stands in the log twice", async () => {
      const sessions = Array.from({ length: 12 }, newId);
      for (const session of sessions) {
        const mine = facts(session, 10);
        await log.append(mine.slice(0, 7).map(log.mask));
        await log.append(mine.slice(3).map(log.mask));
        await log.append(mine.map(log.mask));
      }
      await log.consume({ group: "once", topics: ["atlas.sessions"], db: under.db }, writeDown("once"));
      await caughtUp("once");
      expect(await effects("once")).toEqual(expected(sessions, 10));
    });

    test("goes on after a consumer that was stopped between two units", async () => {
      const sessions = Array.from({ length: 6 }, newId);
      await log.append(sessions.flatMap((session) => facts(session, 10)).map(log.mask));
      const options = { group: "resume", topics: ["atlas.sessions"] as const, db: under.db, batchSize: 7 };
      const first = await log.consume(options, writeDown("resume"));
      await eventually(async () => expect(await effects("resume")).not.toEqual([]));
      await first.stop();
      await log.append(sessions.flatMap((session) => facts(session, 10, 11)).map(log.mask));
      await log.consume(options, writeDown("resume"));
      await caughtUp("resume");
      expect(await effects("resume")).toEqual(expected(sessions, 20));
    });

    test("does over what crashed before its commit", async () => {
      const sessions = Array.from({ length: 4 }, newId);
      await log.append(sessions.flatMap((session) => facts(session, 10)).map(log.mask));
      let crashes = 3;
      const crash: Apply = async () => {
        crashes -= 1;
        if (crashes >= 0) throw Object.assign(new Error("the connection broke"), { code: "ECONNRESET" });
      };
      await log.consume(
        { group: "crash", topics: ["atlas.sessions"], db: under.db },
        writeDown("crash", crash),
      );
      await caughtUp("crash");
      expect(crashes).toBeLessThan(0);
      expect(await effects("crash")).toEqual(expected(sessions, 10));
    });

    test("shares the partitions among members, and takes over those of one that left", async () => {
      const sessions = Array.from({ length: 30 }, newId);
      const options = { group: "shared", topics: ["atlas.sessions"] as const, db: under.db };
      const other = await open();
      const first = await log.consume(options, writeDown("shared"));
      const second = await other.consume(options, writeDown("shared"));
      await log.append(sessions.flatMap((session) => facts(session, 5)).map(log.mask));
      await eventually(() => {
        const shared = [...first.assignments, ...second.assignments];
        expect(first.assignments).not.toEqual([]);
        expect(second.assignments).not.toEqual([]);
        expect(shared.toSorted((a, b) => a - b)).toEqual([...Array(log.partitions).keys()]);
      });
      await log.append(sessions.flatMap((session) => facts(session, 5, 6)).map(log.mask));
      await second.stop();
      await log.append(sessions.flatMap((session) => facts(session, 5, 11)).map(log.mask));
      await caughtUp("shared");
      expect(await effects("shared")).toEqual(expected(sessions, 15));
    });

    test("emits what a unit emitted, once and in order, if and only if it commits", async () => {
      const sessions = Array.from({ length: 5 }, newId);
      await log.append(sessions.flatMap((session) => facts(session, 6)).map(log.mask));
      let failures = 2;
      const emit: Apply = async (batch, unit) => {
        unit.emit(
          batch.map(({ event }) =>
            alreadyMasked(
              createEvent(
                "ReviewStatusChanged",
                { ...event.meta, event_id: newId(), source: `echo/${event.meta.source}` },
                {
                  learning_key: event.meta.source,
                  from_status: "pending",
                  to_status: "approved",
                  because: "rule",
                },
              ),
            ),
          ),
        );
        failures -= 1;
        if (failures >= 0) throw Object.assign(new Error("deadlock"), { code: "40P01" });
      };
      await log.consume({ group: "emit", topics: ["atlas.sessions"], db: under.db }, emit);
      await caughtUp("emit");
      const emitted = (await recordsOf(log, ["atlas.review-status"])).map(
        ({ event }) => `${event.meta.source}#${event.meta.sequence}`,
      );
      expect([...emitted].sort()).toEqual(
        expected(sessions, 6)
          .map((effect) => `echo/${effect}`)
          .sort(),
      );
    });

    test("takes what its mask was shown, once, and nothing else", async () => {
      const shown: string[] = [];
      const masking = await open((event) => {
        shown.push(event.meta.event_id);
        return event.type === "StepSkipped" ? { ...event, reason: `${event.reason}'` } : event;
      });
      const session = newId();
      const events = facts(session, 3);
      const masked = events.map(masking.mask);
      await masking.append(masked);
      // Again, as after a lost answer.
      await masking.append(masked);
      expect(shown).toEqual(events.map(({ meta }) => meta.event_id));
      const read = (await recordsOf(masking, ["atlas.sessions"])).map(({ event }) => event);
      expect(read.map((event) => event.type === "StepSkipped" && event.reason)).toEqual(
        Array(3).fill("because'"),
      );

      const changed = { ...masked[0]!, meta: { ...masked[0]!.meta, event_id: newId(), sequence: 4 } };
      for (const unmasked of [changed, fact(session, 4) as Masked])
        await expect(masking.append([unmasked])).rejects.toMatchObject({ code: "ATLAS_EVENT_UNMASKED" });
      const refuse: Apply = async (_batch, unit) => unit.emit([fact(session, 4) as Masked]);
      await masking.consume({ group: "refused", topics: ["atlas.sessions"], db: under.db }, refuse);
      await masking.caughtUp("refused", await masking.ends(["atlas.sessions"]));
      const letters = await recordsOf(masking, ["atlas.dead-letters"]);
      const codes = new Set(letters.map(({ event }) => event.type === "DeadLettered" && event.error_code));
      expect(codes).toEqual(new Set(["ATLAS_EVENT_UNMASKED"]));
      // What is said of an error comes from outside; a letter names the same event whenever it is written.
      const told = letters.map(({ event }) => event.meta.event_id);
      expect(shown.slice(3)).toEqual(expect.arrayContaining(told));
      expect(await recordsOf(masking, ["atlas.sessions"])).toHaveLength(3);
    });

    test("delivers to a subscriber again what it did not acknowledge", async () => {
      const session = newId();
      await log.append(facts(session, 6).map(log.mask));
      const take = async (count: number, acknowledge: boolean): Promise<number[]> => {
        const taken: number[] = [];
        for await (const event of log.subscribe({ group: "pager", topics: ["atlas.sessions"] })) {
          taken.push(event.meta.sequence);
          if (acknowledge) await event.ack();
          if (taken.length === count) break;
        }
        return taken;
      };
      expect(await take(2, false)).toEqual([1, 2]);
      expect(await take(4, true)).toEqual([1, 2, 3, 4]);
      await log.append([fact(session, 7)].map(log.mask));
      expect(await take(3, true)).toEqual([5, 6, 7]);
    });

    test("is closed for good", async () => {
      await log.close();
      await expect(log.append([fact(newId(), 1)].map(log.mask))).rejects.toMatchObject({
        code: "ATLAS_LOG_CLOSED",
      });
    });
  });
}
