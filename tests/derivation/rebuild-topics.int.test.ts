import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { startPipeline } from "../../app/pipeline.ts";
import { defineEvent, defineProcessor, derive } from "../../app/processors.ts";
import { type RebuildSummary, rebuild } from "../../app/rebuild.ts";
import { topicsNamed } from "../../derivation/rebuild/topics-named.ts";
import { promote } from "../../derivation/rescore/promote.ts";
import { rescore } from "../../derivation/rescore/rescore.ts";
import { PROCESSORS, settle } from "../../derivation/stages.ts";
import { AtlasError, isAtlasError } from "../../errors/atlas-error.ts";
import { listDeadLetters } from "../../log/dead-letters.ts";
import { hintOfLoss } from "../../log/lost-records.ts";
import { listSessions } from "../../projections/session-summaries.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { DEFAULT_RULES } from "../../schemas/rules.ts";
import { DERIVED_TOPICS, type Topic } from "../../schemas/topics.ts";
import { judgedSession } from "../app/judged.ts";
import { exportedFrom } from "../app/opened.ts";
import { eventsIn } from "../as-readers.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import { LOGS } from "../soak/logs.ts";
import type { OpenPlace, Place } from "../soak/place.ts";
import { type Loss, lose, using } from "./lose-records.ts";
import type { Rebuilding } from "./rebuilding-child.ts";

const SESSIONS = 5;
const RULES = {
  ...DEFAULT_RULES,
  review: { auto_approve: { min_reward: 0.1, max_uncertainty: null }, quarantine_on_alert: "off" },
} as const;

async function append({ log, rules, settled }: OpenPlace, from: number, to: number): Promise<void> {
  const hash = await rules.set(RULES);
  for (let number = from; number <= to; number += 1) {
    await log.append(judgedSession(number, { judge: 0.5 + (number % 4) / 10 }, hash).map(log.mask));
    // Each has its turn in drift before the next one completes.
    await settled();
  }
}

const sized = defineEvent({
  type: "userlost.Sized",
  topic: "userlost.sized",
  zod: z.object({ judgements: z.int() }),
});

/** Counts the judgements of a session. */
const sizing = defineProcessor({
  name: "lost-sizing",
  version: 1,
  facts: ["JudgementMade", "SessionJudged"],
  emits: [sized],
  key: ({ meta }) => meta.session_id ?? "",
  reduce: (judgements: number = 0, fact) =>
    fact.type === "JudgementMade"
      ? { state: judgements + 1, emit: [] }
      : { state: undefined, emit: [derive(sized, { judgements })], over: true },
});

const idsOf = (events: readonly AtlasEvent[]): string[] => events.map(({ meta }) => meta.event_id).sort();

/** What readers make of a log: events by topic, the read models, and what is exported of it. */
async function seen(opened: OpenPlace) {
  const topics = await Promise.all(
    DERIVED_TOPICS.map(async (topic) => [topic, idsOf(await eventsIn(opened.log, topic))]),
  );
  const shown = (await listSessions(opened.db, { limit: null })).map(({ id, reward, reviewStatus }) => ({
    id,
    reward,
    reviewStatus,
  }));
  const exported = createHash("sha256")
    .update(await exportedFrom(opened))
    .digest("hex");
  return { ...Object.fromEntries(topics), shown, exported };
}

const put = (place: Place, topics: string[]): Promise<RebuildSummary> =>
  using(place, false, (opened) => rebuild(opened, { derived: true, topics }));

async function dieWhileRebuilding(rebuilding: Rebuilding): Promise<void> {
  const file = join(import.meta.dirname, "rebuilding-child.ts");
  const child = spawn(process.execPath, ["--no-warnings", file, JSON.stringify(rebuilding)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
}

/** What is told of a loss: by a consumer that has applied what is gone, or to who asks whether the log is whole. */
async function refusal(place: Place, loss: Loss): Promise<unknown> {
  return using(place, loss === "all", async ({ log, pipeline }) => {
    if (loss === "all") return pipeline!.done.catch((error: unknown) => error);
    return (await log.check()).find(({ level }) => level === "broken")?.error;
  });
}

describe.for(LOGS.filter(({ skip }) => !skip))("derived topics that were lost on $name", ({ name, make }) => {
  async function filled(): Promise<{ place: Place; before: Awaited<ReturnType<typeof seen>> }> {
    const { place, remove } = await make();
    onTestFinished(remove);
    const before = await using(place, true, async (opened) => {
      await append(opened, 1, SESSIONS);
      return seen(opened);
    });
    return { place, before };
  }

  const cases: [Topic[], Loss, Rebuilding["goneAfter"]][] = [
    [["atlas.rewards"], "beginning", "records"],
    [["atlas.drift"], "beginning", "beginning"],
    [["atlas.rewards", "atlas.drift", "atlas.review-status"], "all", "beginning"],
  ];
  // The embedded log goes the way of a Postgres server: once is enough.
  test.for(name === "embedded" ? cases.slice(-1) : cases)(
    "%j, %s: put back with the same ids, also by who was killed",
    async ([topics, loss, goneAfter]) => {
      const { place, before } = await filled();
      for (const topic of topics) await lose(place, topic, loss);
      const told = await refusal(place, loss);
      expect(isAtlasError(told, "ATLAS_LOG_REPLACED")).toBe(true);
      expect(String((told as { hint?: string }).hint)).toContain("atlas rebuild --derived --topics ");

      const names = topics.map((topic) => topic.replace("atlas.", ""));
      await dieWhileRebuilding({ place, topics: names, goneAfter });
      const { topics: rebuilt, derived } = await put(place, names);
      expect(rebuilt!.map(({ topic }) => topic)).toEqual(topics);
      expect(derived).toMatchObject({ differences: 0 });

      const again = await put(place, names);
      expect(again.topics!.map(({ partitions, restored }) => [partitions, restored])).toEqual(
        topics.map(() => [0, 0]),
      );
      await using(place, true, async (opened) => {
        await opened.settled();
        expect(await seen(opened)).toEqual(before);
        await append(opened, SESSIONS + 1, SESSIONS + 3);
        const after = await eventsIn(opened.log, "atlas.drift");
        expect(after.map(({ meta }) => meta.sequence)).toEqual(
          Array.from({ length: SESSIONS + 3 }, (_, index) => index + 1),
        );
        expect(
          (await listSessions(opened.db, { limit: null })).filter(({ reward }) => reward !== null),
        ).toHaveLength(SESSIONS + 3);
        expect((await opened.log.check()).filter(({ level }) => level === "broken")).toEqual([]);
      });
    },
  );

  test("of a user's own, with groups that had applied a part: each applies the rest, once", async () => {
    const { place, remove } = await make();
    onTestFinished(remove);
    const applied: string[] = [];
    /** Applies as long as there are fewer than so many. */
    const late = async ({ log }: OpenPlace, until: number): Promise<void> => {
      const options = { group: "late", topics: [sized.topic, "atlas.rewards"] as const, batchSize: 1 };
      const consumer = await log.consume(options, async (batch) => {
        if (applied.length === until)
          throw new AtlasError("ATLAS_DATABASE_UNREACHABLE", "not yet", { retryable: true });
        for (const { event } of batch) applied.push(event.meta.event_id);
      });
      const reached = eventually(() => expect(applied).toHaveLength(until));
      await Promise.race([reached, consumer.done]);
      await consumer.stop();
    };
    const parts = { processors: [sizing], projections: [] };
    const before = await using(place, false, async (opened) => {
      await opened.log.define([sized]);
      const pipeline = await startPipeline(opened.log, opened.rules, {}, parts);
      await append({ ...opened, settled: () => settle(opened.log, { parts }) }, 1, 6);
      await pipeline.stop();
      await late(opened, 5);
      return idsOf(await eventsIn(opened.log, sized.topic, "atlas.rewards"));
    });
    expect(before).toHaveLength(12);
    for (const topic of ["atlas.rewards", sized.topic] as const) await lose(place, topic, "all");
    await using(place, false, async (opened) => {
      await opened.log.define([sized]);
      const { topics } = await rebuild({ ...opened, parts }, { derived: true, topics: ["rewards", "sized"] });
      expect(topics).toMatchObject([{ restored: 6 }, { topic: sized.topic, restored: 6 }]);
      expect(idsOf(await eventsIn(opened.log, sized.topic, "atlas.rewards"))).toEqual(before);
      await late(opened, 12);
    });
    expect(applied.sort()).toEqual(before);
  });
});

test("what a promotion had revised is revised again", async () => {
  const { place, remove } = await LOGS[0]!.make();
  onTestFinished(remove);
  const before = await using(place, true, async (opened) => {
    await append(opened, 1, SESSIONS);
    const rubric = {
      ...DEFAULT_RULES.rubric,
      thresholds: { max_uncertainty: 1, min_samples: 1 },
      weights: { judge: 2 },
      aggregation: "min" as const,
    };
    await rescore(opened.log, { rubric, rules: RULES, branch: "other" });
    await promote(opened.log, { branch: "other", author: "test" });
    await opened.settled();
    return seen(opened);
  });
  await lose(place, "atlas.rewards", "all");
  const { derived } = await put(place, ["rewards"]);
  expect(derived).toMatchObject({ published: SESSIONS });
  expect(await put(place, ["rewards"])).toMatchObject({
    topics: [{ restored: 0 }],
    derived: { published: 0 },
  });
  expect(await using(place, false, seen)).toEqual(before);
});

test("a record that was set aside is given to its consumer once more", async () => {
  const { place, remove } = await LOGS[0]!.make();
  onTestFinished(remove);
  const applied: string[] = [];
  const consume = async ({ log }: OpenPlace, refused: string | undefined): Promise<void> => {
    const consumer = await log.consume({ group: "picky", topics: ["atlas.rewards"] }, async (batch) => {
      if (batch.some(({ event }) => event.meta.session_id === refused)) throw new TypeError("not this one");
      for (const { event } of batch) applied.push(event.meta.session_id!);
    });
    await log.caughtUp("picky", await log.ends(["atlas.rewards"]), { timeoutMs: LIMIT_MS });
    await consumer.stop();
  };
  const sessions = await using(place, true, async (opened) => {
    await append(opened, 1, 4);
    const all = (await eventsIn(opened.log, "atlas.rewards")).map(({ meta }) => meta.session_id!);
    await consume(opened, all[1]);
    return all;
  });
  await lose(place, "atlas.rewards", "all");
  await using(place, false, async (opened) => {
    expect(await listDeadLetters(opened.log)).toMatchObject([{ group: "picky", sessionId: sessions[1] }]);
    await rebuild(opened, { derived: true, topics: ["rewards"] });
    expect(await listDeadLetters(opened.log)).toEqual([]);
    await consume(opened, undefined);
  });
  expect(applied.sort()).toEqual([...sessions].sort());
});

test("a topic that nobody derives is refused, and a primary one is told to be restored", async () => {
  const named = () => topicsNamed(["sessions"], PROCESSORS);
  expect(named).toThrow(expect.objectContaining({ code: "ATLAS_REBUILD_INVALID" }));
  expect(topicsNamed(["rewards", "atlas.drift", "sized"], [...PROCESSORS, sizing])).toEqual([
    "atlas.rewards",
    "atlas.drift",
    sized.topic,
  ]);
  expect(hintOfLoss("atlas.sessions", "Restore it.")).toBe("Restore it.");
  expect(hintOfLoss("atlas.drift", "Restore it.")).toContain("--derived --topics drift`");
  expect(hintOfLoss(sized.topic, "Restore it.")).toMatch(/--topics userlost\.sized`\. Restore it\.$/);
});
