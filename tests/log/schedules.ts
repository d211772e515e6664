import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import type { Database, Queryable, QueryResult } from "../../database/database.ts";
import { AtlasError, isAtlasError } from "../../errors/atlas-error.ts";
import type { Apply, OutgoingRecord, RawRecord } from "../../log/event-log.ts";
import { type Assignment, type AssignmentOptions, claimAssignment } from "../../log/runner/assignment.ts";
import { decodeEvent } from "../../schemas/codec.ts";
import { maskingBy } from "../../schemas/masked.ts";
import { echoOf } from "./facts.ts";

/** What a test of schedules works with. */
export interface World {
  db: Database;
  logId: string;
  partitions: number;
  /** Facts 1, 2, 3 … of one session. */
  input: readonly RawRecord[];
}

/** What one member meets on its way. */
export interface Fate {
  batchSize: number;
  /** So many publishes are refused for good. */
  refusals: number;
  /** It dies at this step, before it is made or before its answer comes. */
  death: { step: number; answered: boolean } | undefined;
  /**
   * Before so many steps outside of a transaction it sleeps, until the others have committed so many units or are done.
   */
  sleep: { step: number; units: number };
  /** It comes when so many units were committed. */
  comesAfter: number;
}

/** A schedule, and who lives by it. */
export interface Story {
  scheduler: fc.Scheduler;
  fates: readonly Fate[];
}

const mostly = <T, U>(usual: T, other: fc.Arbitrary<U>): fc.Arbitrary<T | U> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, other);

export const stories: fc.Arbitrary<Story> = fc.record({
  scheduler: fc.scheduler(),
  fates: fc.array(
    fc.record({
      batchSize: fc.integer({ min: 1, max: 3 }),
      refusals: mostly(0, fc.integer({ min: 1, max: 2 })),
      comesAfter: fc.integer({ min: 0, max: 2 }),
      sleep: fc.record({ step: fc.integer({ min: 1, max: 10 }), units: fc.integer({ min: 0, max: 3 }) }),
      death: mostly(undefined, fc.record({ step: fc.integer({ min: 1, max: 40 }), answered: fc.boolean() })),
    }),
    { minLength: 2, maxLength: 3 },
  ),
});

/** Brings an old fault back. */
export interface Double {
  /** Between an assignment and the real database. */
  db?: (db: Database) => Database;
  /** Changes an assignment. */
  assignment?: (assignment: Assignment, publish: Publish) => void;
}
type Publish = (records: readonly OutgoingRecord[]) => Promise<void>;

const PARTITION_KEY = "echo";
const dead = new AtlasError("ATLAS_LOG_CLOSED", "the process died here");
const refusal = new AtlasError("ATLAS_LOG_MISCONFIGURED", "no write access");

let told = 0;

/** Emits the echo of each fact, and writes it down. */
const echo =
  (group: string): Apply =>
  async (batch, unit) => {
    for (const { event } of batch)
      await unit.tx.query("insert into echoes values ($1, $2)", [group, event.meta.sequence]);
    unit.emit(batch.map(({ event }) => echoOf(event, PARTITION_KEY)));
  };

/** A statement that is not answered by then waits for the lock of another member, which must be able to go on. */
const BLOCKED_MS = 15;

/** What the members of a story share: one statement is under way at a time, and sleepers are woken by units. */
class Stage {
  private readonly scheduler: fc.Scheduler;
  private underWay: Promise<unknown> = Promise.resolve();
  private units = 0;
  private awake: number;
  private readonly sleepers: { until: number; wake: () => void }[] = [];

  constructor(scheduler: fc.Scheduler, members: number) {
    this.scheduler = scheduler;
    this.awake = members;
  }

  /** Plays on until this is done: the scheduler chooses among the members that have a step to make. */
  async play(members: Promise<unknown>): Promise<void> {
    let playing = true;
    const end = members.finally(() => {
      playing = false;
    });
    end.catch(() => undefined);
    while (playing) {
      if (this.scheduler.count() > 0) await this.scheduler.waitOne();
      await this.underWay;
      // Whoever has been answered comes to its next step.
      await setImmediate();
    }
    await end;
  }

  /** Does work when the scheduler has it. */
  async turn<T>(work: () => Promise<T>): Promise<T> {
    const mine = Promise.withResolvers<void>();
    await this.scheduler.schedule(Promise.resolve());
    this.underWay = mine.promise;
    const timer = setTimeout(mine.resolve, BLOCKED_MS);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      mine.resolve();
    }
  }

  committed(): void {
    this.units += 1;
    this.wake((until) => until <= this.units);
  }

  sleep(units: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.sleepers.push({ until: this.units + units, wake: resolve });
    this.leave();
    return promise;
  }

  /** A member is done, or asleep: when all are, whoever has to be woken first is. */
  leave(): void {
    this.awake -= 1;
    if (this.awake > 0) return;
    const first = this.sleepers.reduce(
      (least, { until }) => Math.min(least, until),
      Number.POSITIVE_INFINITY,
    );
    this.wake((until) => until === first);
  }

  private wake(isDue: (until: number) => boolean): void {
    for (const sleeper of this.sleepers.filter(({ until }) => isDue(until))) {
      this.sleepers.splice(this.sleepers.indexOf(sleeper), 1);
      this.awake += 1;
      sleeper.wake();
    }
  }
}

/** Every statement of a member is a step, and may be its last. */
class Steps {
  private taken = 0;
  private lockFree = 0;
  private readonly stage: Stage;
  private readonly fate: Fate;

  constructor(stage: Stage, fate: Fate) {
    this.stage = stage;
    this.fate = fate;
  }

  async take<T>(work: () => Promise<T>, holdsLocks = false): Promise<T> {
    const { sleep, death } = this.fate;
    this.taken += 1;
    if (!holdsLocks) {
      this.lockFree += 1;
      if (this.lockFree === sleep.step && sleep.units > 0) await this.stage.sleep(sleep.units);
    }
    const dies = death !== undefined && this.taken >= death.step;
    if (dies && !death.answered) throw dead;
    const result = await this.stage.turn(work);
    if (dies) throw dead;
    return result;
  }

  over(db: Database): Database {
    const on = (queryable: Queryable, holdsLocks: boolean): Queryable => ({
      query: <Row>(...statement: Parameters<Queryable["query"]>): Promise<QueryResult<Row>> =>
        this.take(() => queryable.query<Row>(...statement), holdsLocks),
    });
    return {
      ...on(db, false),
      address: db.address,
      transaction: async (body, options) => {
        const begun = Promise.withResolvers<Queryable>();
        const commit = Promise.withResolvers<void>();
        const ended = Promise.withResolvers<void>();
        for (const { promise } of [commit, ended]) promise.catch(() => undefined);
        try {
          const tx = await this.take(() => {
            const hold = (own: Queryable): Promise<void> => {
              begun.resolve(own);
              return commit.promise;
            };
            ended.resolve(db.transaction(hold, options));
            return begun.promise;
          });
          const value = await body(on(tx, true));
          await this.take(() => {
            commit.resolve();
            return ended.promise;
          }, true);
          this.stage.committed();
          return value;
        } catch (error) {
          commit.reject(error);
          throw error;
        }
      },
      close: () => db.close(),
    };
  }
}

/**
 * Lets members claim one partition of a group and work on it, step by step as the scheduler has it; then one more, that
 * nothing happens to, finishes what is left.
 *
 * @returns what a reader of the log, or of the read models, would find wrong
 */
export async function tell(world: World, { scheduler, fates }: Story, double?: Double): Promise<string[]> {
  told += 1;
  const group = `${PARTITION_KEY}-${process.pid}-${told}`;
  const wire: OutgoingRecord[] = [];
  const base: Omit<AssignmentOptions, "db" | "member" | "batchSize"> = {
    logId: world.logId,
    group,
    partition: 0,
    partitions: world.partitions,
    topics: ["atlas.sessions"],
    apply: echo(group),
    mask: maskingBy(undefined),
  };
  const append: Publish = async (records) => {
    for (const record of records) wire.push(record);
  };

  const stage = new Stage(scheduler, fates.length);
  const live = async (fate: Fate, number: number): Promise<void> => {
    const steps = new Steps(stage, fate);
    let refusals = fate.refusals;
    const publish: Publish = (records) =>
      steps.take(async () => {
        refusals -= 1;
        if (refusals >= 0) throw refusal;
        await append(records);
      });
    const scheduled = steps.over(world.db);
    const db = double?.db?.(scheduled) ?? scheduled;
    const { batchSize } = fate;
    try {
      if (fate.comesAfter > 0) await stage.sleep(fate.comesAfter);
      const assignment = await claimAssignment({ ...base, db, member: `${number}`, batchSize, publish });
      double?.assignment?.(assignment, publish);
      for (let left = fate.refusals; ; left -= 1) {
        try {
          await assignment.apply("atlas.sessions", world.input);
          return;
        } catch (error) {
          if (isAtlasError(error, "ATLAS_CONSUMER_UNHEALTHY")) return;
          if (!isAtlasError(error, "ATLAS_PUBLISH_REFUSED") || left <= 0) throw error;
        }
      }
    } catch (error) {
      if (error !== dead && !isAtlasError(error, "ATLAS_ASSIGNMENT_LOST")) throw error;
    } finally {
      stage.leave();
    }
  };
  await stage.play(Promise.all(fates.map(live)));
  const db = double?.db?.(world.db) ?? world.db;
  const last = await claimAssignment({ ...base, db, member: "last", batchSize: 500, publish: append });
  await last.apply("atlas.sessions", world.input);
  await last.publish();
  return wrongWith(world, group, wire);
}

async function wrongWith(world: World, group: string, wire: readonly OutgoingRecord[]): Promise<string[]> {
  const wrong: string[] = [];
  const wanted = world.input.map((_, index) => index + 1);
  const { rows } = await world.db.query<{ sequence: number }>(
    "select sequence from echoes where group_id = $1 order by sequence",
    [group],
  );
  const applied = rows.map(({ sequence }) => sequence);
  if (applied.join() !== wanted.join()) wrong.push(`applied ${applied.join()}`);
  const read: number[] = [];
  for (const { topic, fingerprint, body } of wire) {
    const { sequence } = decodeEvent(fingerprint, body).meta;
    if (topic === "atlas.dead-letters") wrong.push(`set ${sequence} aside`);
    // A reader drops what is not greater than what it had.
    else if (sequence > (read.at(-1) ?? 0)) read.push(sequence);
  }
  if (read.join() !== wanted.join()) wrong.push(`published ${read.join()}`);
  const left = await world.db.query("select from atlas_log.outbox where group_id = $1", [group]);
  if (left.rowCount > 0) wrong.push(`left ${left.rowCount} in the outbox`);
  return wrong;
}

/** Statements run as they were in the past. */
const rewriting = (
  rewrite: (sql: string, params: readonly unknown[]) => [string, readonly unknown[]] | undefined,
): Double => ({
  db: (db) => {
    const on = (queryable: Queryable): Queryable => ({
      query: <Row>(
        sql: string,
        params: readonly unknown[] = [],
        options?: Parameters<Queryable["query"]>[2],
      ): Promise<QueryResult<Row>> => {
        const [otherSql, otherParams] = rewrite(sql, params) ?? [sql, params];
        return queryable.query<Row>(otherSql, otherParams, options);
      },
    });
    return {
      ...on(db),
      address: db.address,
      transaction: (body, options) => db.transaction((tx) => body(on(tx)), options),
      close: () => db.close(),
    };
  },
});

/** Numbers began anew when the outbox was empty. */
const numberedByMax = (sql: string, params: readonly unknown[]): [string, readonly unknown[]] | undefined =>
  sql.includes("insert into atlas_log.outbox")
    ? [
        `insert into atlas_log.outbox (group_id, partition, number, topic, target_partition, key, fingerprint, body)
         select $1, $2, coalesce((select max(number) from atlas_log.outbox where group_id = $1 and partition = $2), 0)
                + r.ordinal, r.topic, r.target, r.key, r.fingerprint, r.body
           from unnest($3::text[], $4::int[], $5::text[], $6::text[], $7::bytea[])
                with ordinality as r(topic, target, key, fingerprint, body, ordinal)`,
        params.slice(0, 7),
      ]
    : undefined;

/** Whoever had published deleted. */
const clearedByAnybody = (
  sql: string,
  params: readonly unknown[],
): [string, readonly unknown[]] | undefined =>
  sql.includes("delete from atlas_log.outbox")
    ? [
        `with gone as (delete from atlas_log.outbox where group_id = $1 and partition = $2 and number <= $3)
         select true as ours`,
        [params[0], params[1], params[3]],
      ]
    : undefined;

/** Old faults, each as a database that brings it back. Numbers and fence are two locks of one door. */
export const FAULTS: Record<string, Double> = {
  "an outbox that is numbered anew and cleared by anybody": rewriting(
    (sql, params) => numberedByMax(sql, params) ?? clearedByAnybody(sql, params),
  ),
  "a unit that does not lock its assignment": rewriting((sql, params) =>
    sql.includes("for update of a") ? [sql.replace("for update of a", ""), params] : undefined,
  ),
  "an outbox that is published as part of the unit": {
    assignment: (assignment, publish) => {
      const inside = assignment as unknown as Record<
        "commit" | "drainOutbox",
        (...given: unknown[]) => Promise<void>
      >;
      const commit = inside.commit.bind(assignment);
      inside.commit = async (...given) => {
        await commit(...given);
        await inside.drainOutbox(publish);
      };
    },
  },
};

/** Either of two locks keeps the door shut. */
export const HALVES: Record<string, Double> = {
  "numbers that begin anew": rewriting(numberedByMax),
  "a deletion that asks for no epoch": rewriting(clearedByAnybody),
};
