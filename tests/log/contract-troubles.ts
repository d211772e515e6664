import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Database, Queryable } from "../../database/database.ts";
import { AtlasError, isAtlasError } from "../../errors/atlas-error.ts";
import type { Apply, ConsumeOptions, EventLog } from "../../log/event-log.ts";
import { leaseTimes } from "../../log/postgres/leases.ts";
import { newId } from "../../schemas/identity.ts";
import { partitionOf } from "../../schemas/partition.ts";
import { recordsOf } from "../as-readers.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import type { LogUnderTest } from "./contract.ts";
import { Effects, effectsOf } from "./effects.ts";
import { echoOf, facts } from "./facts.ts";

/** Sessions of which there is one in every partition. */
function spread(partitions: number): string[] {
  const found = new Map<number, string>();
  while (found.size < partitions) {
    const session = newId();
    found.set(partitionOf(session, partitions), session);
  }
  return [...found.values()];
}

/** Emits one event for each fact. */
const echo: Apply = async (batch, unit) => {
  unit.emit(batch.map(({ event }) => echoOf(event, event.meta.source)));
};

/** What every log does about trouble: it is told, it stays where it is, and nothing is lost. */
export function troublesContract(name: string, create: () => Promise<LogUnderTest>): void {
  describe(`troubles on ${name}`, () => {
    let under: LogUnderTest;
    let log: EventLog;
    let done: Effects;
    const opened: EventLog[] = [];
    const open = async (): Promise<EventLog> => {
      const another = await under.open();
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

    const options = (group: string, more: Partial<ConsumeOptions> = {}): ConsumeOptions => ({
      group,
      topics: ["atlas.sessions"],
      db: under.db,
      ...more,
    });
    const append = (sessions: readonly string[], count: number, from = 1): Promise<void> =>
      log.append(sessions.flatMap((session) => facts(session, count, from)).map(log.mask));
    const expected = (sessions: readonly string[], count: number): string[] =>
      sessions
        .flatMap((session) => Array.from({ length: count }, (_, index) => `echo/${session}#${index + 1}`))
        .sort();
    const echoed = async (): Promise<string[]> =>
      (await recordsOf(log, ["atlas.review-status"]))
        .map(({ event: { meta } }) => `${meta.source}#${meta.sequence}`)
        .sort();
    const caughtUp = async (group: string): Promise<void> =>
      log.caughtUp(group, await log.ends(["atlas.sessions"]), { timeoutMs: LIMIT_MS });

    test("sets a poison record aside with its place, and not its neighbours", async () => {
      const sessions = Array.from({ length: 3 }, newId);
      await log.append(sessions.flatMap((session) => facts(session, 10)).map(log.mask));
      const bad = `${sessions[1]}#5`;
      const poison: Apply = async (batch) => {
        if (batch.some(({ event }) => `${event.meta.source}#${event.meta.sequence}` === bad))
          throw new AtlasError("ATLAS_EVENT_INVALID", "cannot be applied");
      };
      await log.consume(
        { group: "poison", topics: ["atlas.sessions"], db: under.db },
        done.writeDown("poison", poison),
      );
      await caughtUp("poison");
      expect(await done.of("poison")).toEqual(effectsOf(sessions, 10).filter((effect) => effect !== bad));
      const letters = await recordsOf(log, ["atlas.dead-letters"]);
      expect(letters.map(({ event }) => event)).toEqual([
        expect.objectContaining({
          type: "DeadLettered",
          group: "poison",
          topic: "atlas.sessions",
          error_code: "ATLAS_EVENT_INVALID",
        }),
      ]);
      expect(letters[0]!.event.meta.session_id).toBe(sessions[1]);
    });

    test("sets a record aside that is no event", async () => {
      const session = newId();
      await log.append(facts(session, 2).map(log.mask));
      await under.poison(log, session);
      await log.append(facts(session, 2, 3).map(log.mask));
      await log.consume(
        { group: "foreign", topics: ["atlas.sessions"], db: under.db },
        done.writeDown("foreign"),
      );
      await caughtUp("foreign");
      expect(await done.of("foreign")).toEqual(effectsOf([session], 4));
    });

    test("stops as unhealthy when everything fails, instead of setting a topic aside", async () => {
      const session = newId();
      await log.append(facts(session, 40).map(log.mask));
      const consumer = await log.consume(
        { group: "storm", topics: ["atlas.sessions"], db: under.db },
        async () => {
          throw new TypeError("a bug");
        },
      );
      await expect(consumer.done).rejects.toMatchObject({ code: "ATLAS_CONSUMER_UNHEALTHY" });
      expect((await recordsOf(log, ["atlas.dead-letters"])).length).toBeLessThan(10);
    });

    test("notices that the log was truncated behind its back", async () => {
      const session = newId();
      await log.append(facts(session, 10).map(log.mask));
      const { partition } = (await recordsOf(log, ["atlas.sessions"]))[0]!;
      const options = { group: "truncated", topics: ["atlas.sessions"] as const, db: under.db };
      const first = await log.consume(options, done.writeDown("truncated"));
      await caughtUp("truncated");
      await first.stop();
      await log.append(facts(session, 10, 11).map(log.mask));
      await under.truncate("atlas.sessions", partition, 15);
      const failed = log.consume(options, done.writeDown("truncated")).then((consumer) => consumer.done);
      await expect(failed).rejects.toMatchObject({ code: "ATLAS_LOG_REPLACED" });
    });

    test("an event of a newer version holds up its own partition, and no other", async () => {
      const sessions = spread(log.partitions);
      const [blocked, ...rest] = sessions;
      await append([blocked!], 2);
      await under.newer(log, blocked!);
      await append([blocked!], 2, 3);
      const troubles: unknown[] = [];
      const onRetry = (error: unknown): void => void troubles.push(error);
      const consumer = await log.consume(options("newer", { onRetry }), echo);
      await append(rest, 3);
      const reached = [...expected(rest, 3), ...expected([blocked!], 2)].sort();
      await eventually(async () => expect(await echoed()).toEqual(reached));
      await eventually(() =>
        expect(troubles.some((error) => isAtlasError(error, "ATLAS_SCHEMA_NEWER"))).toBe(true),
      );
      // What comes after it was found still finds its way.
      await append(rest, 2, 4);
      const more = [...expected(rest, 5), ...expected([blocked!], 2)].sort();
      await eventually(async () => expect(await echoed()).toEqual(more));
      await consumer.stop();
      expect(await recordsOf(log, ["atlas.dead-letters"])).toEqual([]);
    });

    test("an error that passes by itself holds up its own partition, and no other", async () => {
      const [troubled, ...rest] = spread(log.partitions);
      let mended = false;
      const away: Apply = async (batch, unit) => {
        if (!mended && batch.some(({ key }) => key === troubled))
          throw Object.assign(new Error("not yet"), { code: "ECONNRESET" });
        await echo(batch, unit);
      };
      await append([troubled!, ...rest], 3);
      await log.consume(options("passing"), away);
      await eventually(async () => expect(await echoed()).toEqual(expected(rest, 3)));
      mended = true;
      await caughtUp("passing");
      expect(await echoed()).toEqual(expected([troubled!, ...rest], 3));
    });

    test("a unit that takes longer than a lease keeps its assignment", async () => {
      const sessions = spread(log.partitions);
      const other = await open();
      const changes: number[] = [];
      const onAssignmentChange = (partition: number): void => void changes.push(partition);
      const long = Promise.withResolvers<void>();
      let units = 0;
      const slow: Apply = async (batch, unit) => {
        units += 1;
        await long.promise;
        await echo(batch, unit);
      };
      const members = [
        await log.consume(options("long", { onAssignmentChange }), slow),
        await other.consume(options("long", { onAssignmentChange }), slow),
      ];
      await eventually(() => {
        const shares = members.map(({ assignments }) => assignments.length);
        expect(shares).toEqual([log.partitions / 2, log.partitions / 2]);
      });
      const settled = changes.length;
      await append(sessions, 2);
      await eventually(() => expect(units).toBeGreaterThanOrEqual(1));
      const since = performance.now();
      await eventually(() =>
        expect(performance.now() - since).toBeGreaterThan(1.5 * leaseTimes(false).leaseMs),
      );
      expect(changes.length).toBe(settled);
      long.resolve();
      await caughtUp("long");
      expect(await echoed()).toEqual(expected(sessions, 2));
    });

    test("a log that refuses what is derived is told of as such, and gets it once it takes it", async () => {
      const sessions = spread(log.partitions);
      const troubles: unknown[] = [];
      const onRetry = (error: unknown): void => void troubles.push(error);
      const restore = await under.refuse("atlas.review-status");
      await append(sessions, 3);
      const consumer = await log.consume(options("refused", { onRetry }), echo);
      await eventually(() =>
        expect(troubles.some((error) => isAtlasError(error, "ATLAS_PUBLISH_REFUSED"))).toBe(true),
      );
      await restore();
      await caughtUp("refused");
      await eventually(() => expect(troubles.at(-1)).toBeUndefined());
      expect(await echoed()).toEqual(expected(sessions, 3));
      expect(await recordsOf(log, ["atlas.dead-letters"])).toEqual([]);
      await consumer.stop();
    });

    test("an owner that sleeps between publishing and emptying its outbox takes nothing from its successor", async () => {
      const sessions = spread(log.partitions);
      const awake = Promise.withResolvers<void>();
      let asleep = 0;
      const sleepy = whenAsked(under.db, /delete from atlas_log\.outbox/, () => {
        asleep += 1;
        return awake.promise;
      });
      await append(sessions, 3);
      const first = await log.consume(options("zombie", { db: sleepy }), echo);
      await eventually(async () => expect((await echoed()).length).toBeGreaterThan(0));
      const other = await open();
      await other.consume(options("zombie"), echo);
      await append(sessions, 3, 4);
      if (asleep > 0) awake.resolve();
      await eventually(async () => expect(await echoed()).toEqual(expected(sessions, 6)));
      awake.resolve();
      await first.stop();
      await caughtUp("zombie");
      expect(await echoed()).toEqual(expected(sessions, 6));
    });

    test("appends of one process come in the order of the calls, however many are under way", async () => {
      const sessions = spread(log.partitions);
      const events = Array.from({ length: 25 }, (_, index) =>
        sessions.flatMap((session) => facts(session, 4, 1 + 4 * index)),
      );
      await Promise.all(events.map((each) => log.append(each.map(log.mask))));
      const records = await recordsOf(log, ["atlas.sessions"]);
      for (const session of sessions) {
        const sequences = records
          .filter(({ key }) => key === session)
          .map(({ event }) => event.meta.sequence);
        expect(sequences).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
      }
    });
  });
}

/** A database in which statements of a kind wait before they are run. */
function whenAsked(db: Database, kind: RegExp, wait: () => Promise<void>): Database {
  const on = (queryable: Queryable): Queryable["query"] =>
    async function query(sql, params, options) {
      if (kind.test(sql)) await wait();
      return queryable.query(sql, params, options);
    };
  return {
    address: db.address,
    query: on(db),
    transaction: (body, options) => db.transaction((tx) => body({ query: on(tx) }), options),
    close: () => db.close(),
  };
}
