import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../database/database.ts";
import { openPostgres } from "../../database/pg-database.ts";
import type { LogRecord } from "../../log/event-log.ts";
import { prepareLogTables } from "../../log/log-tables.ts";
import { Repetitions } from "../../log/runner/repetitions.ts";
import { applyOnce } from "../../log/runner/unit-of-work.ts";
import type { AtlasEvent, Uuid } from "../../schemas/generated/events.ts";
import { newId } from "../../schemas/identity.ts";
import { rewardSourceOf, type Speaker } from "../../schemas/sources.ts";
import type { Topic } from "../../schemas/topics.ts";
import { missing, postgres } from "../services/services.ts";
import { afterwards, closedBy, rewardOf } from "./closing-facts.ts";
import { rowsKept } from "./rows-kept.ts";

/** A log of one partition: sessions that interleave, are said again from any point, and may go on after their end. */
interface Story {
  sessions: { closer: Speaker; again: number[]; late: number }[];
  /** Whose turn it is. */
  turns: number[];
  /** Steps of groups: which one goes on, and by how many records. */
  steps: { group: number; count: number }[];
  /** Records of which a unit of a group is lost before its commit. */
  lost: number[];
}

const stories: fc.Arbitrary<Story> = fc.record({
  sessions: fc.array(
    fc.record({
      closer: fc.constantFrom<Speaker>("session", "judges", "reaper"),
      again: fc.array(fc.nat(8), { maxLength: 3 }),
      late: fc.nat(2),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  turns: fc.array(fc.nat(2), { maxLength: 60 }),
  steps: fc.array(fc.record({ group: fc.nat(2), count: fc.integer({ min: 1, max: 9 }) }), { maxLength: 30 }),
  lost: fc.array(fc.nat(10), { maxLength: 3 }),
});

/** The records of a story, by topic, and what became of the ids of its sessions. */
function recordsOf({ sessions, turns }: Story): { ids: Uuid[]; records: Record<string, LogRecord[]> } {
  const ids = sessions.map(() => newId() as Uuid);
  const queues = sessions.map(({ closer, again, late }, index): AtlasEvent[] => {
    const session = ids[index]!;
    const whole = [...closedBy(closer, session), rewardOf(session)];
    const repeated = again.flatMap((from) => whole.slice(from));
    return [...whole, ...repeated, ...afterwards(session, late), ...repeated];
  });
  const order: AtlasEvent[] = [];
  for (const turn of turns) {
    const event = queues[turn % queues.length]!.shift();
    if (event !== undefined) order.push(event);
  }
  for (const queue of queues) for (const event of queue) order.push(event);
  const records: Record<string, LogRecord[]> = { "atlas.sessions": [], "atlas.rewards": [] };
  for (const event of order) {
    const topic: Topic = event.type === "SessionRewarded" ? "atlas.rewards" : "atlas.sessions";
    const offset = records[topic]!.length;
    records[topic]!.push({ topic, partition: 0, offset, key: "", appendedAt: offset, event });
  }
  return { ids, records };
}

const lost = new Error("the unit was lost");

describe.skipIf(await missing("postgres"))("with a database server", () => {
  let db: Database;
  beforeAll(async () => {
    db = await openPostgres((await postgres()).url, { max: 4 });
    await prepareLogTables(db);
  });
  afterAll(() => db?.close());

  /** What a group applies of some records, once a unit of it is not lost. */
  async function unit(group: string, batch: readonly LogRecord[], isLost: () => boolean) {
    const { topic } = batch[0]!;
    for (;;) {
      const taken: AtlasEvent[] = [];
      const apply = async (fresh: readonly LogRecord[]): Promise<void> => {
        for (const { event } of fresh) taken.push(event);
      };
      const committed = await db
        .transaction(async (tx) => {
          await applyOnce(tx, { key: { group, partition: 0 }, topic, batch, apply });
          if (isLost()) throw lost;
          return true;
        })
        .catch((error: unknown) => {
          if (error === lost) return false;
          throw error;
        });
      if (committed) return taken;
    }
  }

  /** What a group applies of a topic, so many records at a time. */
  async function applied(
    group: string,
    records: readonly LogRecord[],
    counts: readonly number[],
    isLost: () => boolean,
  ): Promise<AtlasEvent[]> {
    const taken: AtlasEvent[][] = [];
    let at = 0;
    for (const count of counts) {
      const batch = records.slice(at, at + count);
      if (batch.length > 0) taken.push(await unit(group, batch, isLost));
      at += batch.length;
    }
    return taken.flat();
  }

  test("whatever is repeated and wherever groups are, each takes what a reader of the whole log takes", async () => {
    const property = fc.asyncProperty(stories, async (story) => {
      const { ids, records } = recordsOf(story);
      const turn = newId();
      let units = 0;
      const isLost = (): boolean => story.lost.includes(units++);
      for (const [topic, wire] of Object.entries(records)) {
        const repetitions = new Repetitions();
        const expected = wire.filter((record) => repetitions.isNew(record)).map(({ event }) => event);
        const groups = [0, 1, 2].map((group) => {
          const pending = story.steps.filter((step) => step.group === group).map(({ count }) => count);
          return { name: `${turn}/${group}`, counts: [...pending, wire.length] };
        });
        const taken = await Promise.all(
          groups.map(({ name, counts }) => applied(name, wire, counts, isLost)),
        );
        for (const events of taken) expect(events, topic).toEqual(expected);
      }
      const kept = await rowsKept(db, ids);
      const late = story.sessions.filter((session) => session.late > 0).length;
      expect(kept.tables).toEqual({ session_ids: ids.length, ...(late > 0 && { sequences: 3 * late }) });
    });
    await fc.assert(property, { numRuns: 40 });
  });

  test("what does not fit the shared row is remembered by each group", async () => {
    const session = newId() as Uuid;
    const beyond = 2 ** 31;
    const own = closedBy("session", session).map((event) => ({
      ...event,
      meta: { ...event.meta, sequence: event.meta.sequence + beyond },
    }));
    const at = (topic: Topic, event: AtlasEvent, offset: number): LogRecord => ({
      topic,
      partition: 0,
      offset,
      key: "",
      appendedAt: 0,
      event,
    });
    const facts = own.map((event, index) => at("atlas.sessions", event, index));
    const rewards = [at("atlas.rewards", rewardOf(session), beyond)];
    for (const records of [facts, rewards]) {
      const again = records.map((record) => ({ ...record, offset: record.offset + records.length }));
      const group = newId();
      expect(await unit(group, records, () => false)).toHaveLength(records.length);
      expect(await unit(group, again, () => false)).toEqual([]);
    }
    expect((await rowsKept(db, [session])).tables).toEqual({ sequences: 2 });
  });

  test("the source of a reward is that of the processor", async () => {
    const { sessionRewards } = await import("../../processors/session-rewards.ts");
    expect(rewardSourceOf("s")).toBe(`${sessionRewards.name}/s`);
  });
});
