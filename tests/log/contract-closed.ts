import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Consumer, EventLog } from "../../log/event-log.ts";
import { knownSequences } from "../../log/runner/known-sequences.ts";
import type { AtlasEvent, Uuid } from "../../schemas/generated/events.ts";
import { newId } from "../../schemas/identity.ts";
import type { Speaker } from "../../schemas/sources.ts";
import type { Topic } from "../../schemas/topics.ts";
import { LIMIT_MS } from "../eventually.ts";
import { afterwards, closedBy, ended, rewardOf } from "./closing-facts.ts";
import type { LogUnderTest } from "./contract.ts";
import { Effects } from "./effects.ts";
import { rowsKept } from "./rows-kept.ts";

const CLOSERS: readonly Speaker[] = ["session", "judges", "reaper"];
const TOPICS = ["atlas.sessions", "atlas.rewards"] as const satisfies readonly Topic[];

const effectsOf = (events: readonly AtlasEvent[]): string[] =>
  events.map(({ meta }) => `${meta.source}#${meta.sequence}`).sort();

/** What every log keeps of a session that is over: one small row, whoever reads it and however often it is repeated. */
export function closedContract(name: string, create: () => Promise<LogUnderTest>): void {
  describe(`closed sessions on ${name}`, () => {
    let under: LogUnderTest;
    let log: EventLog;
    let done: Effects;
    const sessions = CLOSERS.flatMap((closer) => [1, 2, 3].map(() => ({ closer, session: newId() as Uuid })));
    const ids = sessions.map(({ session }) => session);
    const whole = sessions.flatMap(({ closer, session }) => [
      ...closedBy(closer, session),
      ...(closer === "reaper" ? [] : [rewardOf(session)]),
    ]);

    beforeEach(async () => {
      under = await create();
      log = await under.open();
      done = new Effects(under.db);
      await done.prepare();
    });
    afterEach(async () => {
      await log.close();
      await under.close();
    });

    const consume = (group: string): Promise<Consumer> =>
      log.consume({ group, topics: TOPICS, db: under.db, batchSize: 6 }, done.writeDown(group));
    const append = (events: readonly AtlasEvent[]): Promise<void> => log.append(events.map(log.mask));
    const caughtUp = async (...groups: string[]): Promise<void> => {
      const ends = await log.ends(TOPICS);
      for (const group of groups) await log.caughtUp(group, ends, { timeoutMs: LIMIT_MS });
    };
    const applied = async (group: string): Promise<string[]> => (await done.of(group)).sort();
    const onlyTheRow = { rows: ids.length, tables: { session_ids: ids.length } };

    test("leave one row of 64 bytes for all groups, and no repetition adds to it", async () => {
      await Promise.all(["one", "two"].map(consume));
      await append(whole.slice(0, 20));
      await caughtUp("one", "two");
      await append(whole.slice(20));
      await caughtUp("one", "two");
      expect(await rowsKept(under.db, ids)).toMatchObject(onlyTheRow);
      expect((await rowsKept(under.db, ids)).bytes).toBeLessThanOrEqual(64);
      for (const group of ["one", "two"]) expect(await applied(group)).toEqual(effectsOf(whole));

      await append(whole);
      for (const { session } of sessions) await append(closedBy("session", session).slice(0, 2));
      await caughtUp("one", "two");
      for (const group of ["one", "two"]) expect(await applied(group)).toEqual(effectsOf(whole));
      expect(await rowsKept(under.db, ids)).toMatchObject(onlyTheRow);

      // One that starts now reads all of it from the beginning, repetitions included.
      await consume("three");
      await caughtUp("three");
      expect(await applied("three")).toEqual(effectsOf(whole));
      expect(await rowsKept(under.db, ids)).toMatchObject(onlyTheRow);
    });

    test("are known by a group that is behind, and by imports, whoever passed their ends", async () => {
      const behind = await consume("behind");
      const begun = sessions.flatMap(({ session }) => ended(session).slice(0, 2));
      await append(begun);
      await caughtUp("behind");
      await behind.stop();
      await append(whole);
      await append(whole);
      await consume("ahead");
      await caughtUp("ahead");
      expect(await applied("ahead")).toEqual(effectsOf(whole));
      const known = await knownSequences(log, "behind")(ids);
      const last = (session: string): number =>
        whole.filter(({ meta }) => meta.source === session).at(-1)!.meta.sequence;
      expect(known).toEqual(new Map(ids.map((session) => [session, last(session)])));

      await append(whole);
      await consume("behind");
      await caughtUp("behind", "ahead");
      for (const group of ["ahead", "behind"]) expect(await applied(group)).toEqual(effectsOf(whole));
      expect(await rowsKept(under.db, ids)).toMatchObject(onlyTheRow);
      expect(await knownSequences(log, "behind")(ids)).toEqual(known);
    });

    test("take what comes after their end once, for each group", async () => {
      await consume("one");
      await append(whole);
      await caughtUp("one");
      const late = ids.flatMap((session) => afterwards(session, 2));
      await append(late);
      await append(whole);
      await append(late);
      await consume("two");
      await caughtUp("one", "two");
      for (const group of ["one", "two"])
        expect(await applied(group)).toEqual(effectsOf([...whole, ...late]));
    });
  });
}
