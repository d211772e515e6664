import { describe, expect, test } from "vitest";
import { decisionsOn } from "../../app/api/reviews.ts";
import type { Atlas } from "../../app/open-atlas.ts";
import { rebuild } from "../../app/rebuild.ts";
import { promote } from "../../derivation/rescore/promote.ts";
import { rescore } from "../../derivation/rescore/rescore.ts";
import { reviewHistory } from "../../projections/review-history.ts";
import { listSessions } from "../../projections/session-summaries.ts";
import { streamTraces } from "../../projections/training-data.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { idOf, newId, nowMicros } from "../../schemas/identity.ts";
import { DEFAULT_RULES, type Rubric } from "../../schemas/rules.ts";
import { TOPICS, type Topic } from "../../schemas/topics.ts";
import { type ChosenSession, collectSessions } from "../../sinks/datasets/collect-sessions.ts";
import { stretchesOf } from "../../sinks/datasets/window.ts";
import { judgedSession } from "../app/judged.ts";
import { approveAll, exportedFrom, folderForTest, opened } from "../app/opened.ts";
import { recordedFolder } from "../app/recorded-folder.ts";
import { eventsIn } from "../as-readers.ts";

const SESSIONS = 12;
const STRICT: Rubric = { ...DEFAULT_RULES.rubric, weights: { strict: 3, kind: 1 } };
const ONLY_STRICT: Rubric = { ...DEFAULT_RULES.rubric, weights: { strict: 1, kind: 0 } };
const AUTO = { rules: { review: { autoApprove: { minReward: 0.6, maxUncertainty: null } } } } as const;

/** Half of the sessions are worth as much to both judges, the others please one of them only. */
const scoresOf = (number: number): Record<string, number> =>
  number % 2 === 0 ? { strict: 0.7, kind: 0.7 } : { strict: 0.4, kind: 0.9 };

type Rules = Parameters<typeof opened>[1];

/** Each session is rewarded before the next one is appended: drift is then the same in every log. */
async function filledAnew(folder: string, config: Rules = {}): Promise<Atlas> {
  const atlas = await opened(folder, config);
  const hash = await atlas.rules.ensure(atlas.config.rules);
  for (let number = 1; number <= SESSIONS; number += 1) {
    await atlas.log.append(judgedSession(number, scoresOf(number), hash).map(atlas.log.mask));
    await atlas.settled();
  }
  return atlas;
}

const [plain, auto] = [{}, AUTO].map((config) =>
  recordedFolder(async (folder) => (await filledAnew(folder, config)).close()),
) as [(into: string) => Promise<void>, (into: string) => Promise<void>];

async function filled(config: Rules = {}, folder = folderForTest()): Promise<Atlas> {
  await (config === AUTO ? auto : plain)(folder);
  return opened(folder, config);
}

const read = ({ log }: Pick<Atlas, "log">, topic: Topic): Promise<AtlasEvent[]> => eventsIn(log, topic);

const rewardsIn = async ({ db }: Atlas): Promise<(number | null)[]> =>
  (await listSessions(db, { limit: null })).map(({ reward }) => reward);

const statusOf = async ({ db }: Atlas, number: number): Promise<string | undefined> =>
  (await listSessions(db, { sessionIds: [idOf("judged", number)] }))[0]?.reviewStatus;

const rulesOf = ({ rules, config }: Atlas) => rules.ensure(config.rules).then(rules.lookup);

describe("a rescore", () => {
  test("goes into a branch, and leaves everything live as it is", async () => {
    const atlas = await filled();
    const [before, rewards] = [await atlas.log.ends(TOPICS), await rewardsIn(atlas)];
    const report = await rescore(atlas.log, { rubric: STRICT, branch: "strict", threshold: 0.6 });
    expect(report.counts).toMatchObject({
      sessions: SESSIONS,
      moved: SESSIONS / 2,
      lost: 0,
      crossing: { up: 0, down: SESSIONS / 2 },
    });
    expect(report.changes).toHaveLength(SESSIONS / 2);
    expect(report.changes[0]).toMatchObject({ before: { score: 0.65 }, after: { score: 0.525 } });
    await atlas.settled();
    const after = await atlas.log.ends(TOPICS);
    for (const topic of TOPICS.filter((name) => name !== "atlas.branches" && name !== "atlas.decisions"))
      expect(after.get(topic)).toEqual(before.get(topic));
    expect(await rewardsIn(atlas)).toEqual(rewards);
    const events = await read(atlas, "atlas.branches");
    expect(events).toHaveLength(2 * SESSIONS);
    expect(new Set(events.map(({ meta }) => meta.derivation?.branch))).toEqual(new Set(["strict"]));
    // Sessions of one learning key were rewarded as their partitions came.
    const { derived } = await rebuild(atlas, { derived: true });
    expect(derived!.explained).toBe(derived!.differences);
  });

  test("gives the same bytes again, here and on another log, and adds what is new", async () => {
    const [one, other] = [await filled(), await filledAnew(folderForTest())];
    const first = await rescore(one.log, { rubric: STRICT });
    const second = await rescore(other.log, { rubric: STRICT });
    expect(second).toEqual(first);
    expect(await read(other, "atlas.branches")).toEqual(await read(one, "atlas.branches"));
    expect((await rescore(one.log, { rubric: STRICT })).added).toBe(0);
    const hash = await one.rules.ensure(one.config.rules);
    await one.log.append(judgedSession(SESSIONS + 1, scoresOf(1), hash).map(one.log.mask));
    await one.settled();
    expect((await rescore(one.log, { rubric: STRICT })).added).toBe(2);
    expect((await rescore(one.log, { rubric: STRICT })).added).toBe(0);
  });

  test("tells what would become of reviews", async () => {
    const atlas = await filled(AUTO);
    expect(await statusOf(atlas, 1)).toBe("approved");
    const options = { rubric: ONLY_STRICT, rules: await rulesOf(atlas), threshold: 0.6 };
    const { counts, changes } = await rescore(atlas.log, options);
    expect(counts.review).toEqual({ "approved → pending": SESSIONS / 2 });
    expect(changes[0]).toMatchObject({ before: { review: "approved" }, after: { review: "pending" } });
    expect(await statusOf(atlas, 1)).toBe("approved");
  });

  test("refuses a name that is none, or that holds another rubric", async () => {
    const atlas = await filled();
    await rescore(atlas.log, { rubric: STRICT, branch: "one" });
    for (const [rubric, branch] of [
      [ONLY_STRICT, "one"],
      [STRICT, "a b"],
      [STRICT, ""],
    ] as const)
      await expect(rescore(atlas.log, { rubric, branch })).rejects.toMatchObject({
        code: "ATLAS_BRANCH_INVALID",
      });
  });

  test("can be read as a dataset", async () => {
    const atlas = await filled();
    await rescore(atlas.log, { rubric: ONLY_STRICT, branch: "strict" });
    const scores = async (branch: string | null, statuses: "all" | string[] = "all"): Promise<number[]> => {
      const chosen: ChosenSession[] = [];
      const collected = await collectSessions({
        log: atlas.log,
        stretches: await stretchesOf(atlas.log, {}),
        filters: { reviewStatusFilters: statuses },
        branch,
        scratch: folderForTest(),
        onChosen: async (session) => void chosen.push(session),
      });
      const traces = [];
      for (const session of chosen) traces.push((await collected.read(session)).trace);
      await collected.close();
      return traces.map(({ reward }) => reward!.score).sort();
    };
    expect(new Set(await scores(null))).toEqual(new Set([0.65, 0.7]));
    expect(new Set(await scores("strict"))).toEqual(new Set([0.4, 0.7]));
    // What a person says after the rescore counts in the branch, too.
    await atlas.log.append(
      decisionsOn(atlas.log, await listSessions(atlas.db, { limit: 1 }), "approved", { author: "ann" }),
    );
    await atlas.settled();
    expect(await scores("strict", ["approved"])).toEqual([0.7]);
  });
});

describe("a promotion", () => {
  test("holds for old sessions and new ones, and a rebuild gives the same", async () => {
    const folder = folderForTest();
    const atlas = await filled({}, folder);
    await rescore(atlas.log, { rubric: ONLY_STRICT, branch: "strict" });
    const { revised } = await promote(atlas.log, { branch: "strict", author: "test" });
    expect(revised).toBe(2 * SESSIONS);
    await atlas.settled();
    expect(new Set(await rewardsIn(atlas))).toEqual(new Set([0.4, 0.7]));

    const hash = await atlas.rules.ensure(atlas.config.rules);
    expect(atlas.rules.lookup(hash).rubric).toEqual(ONLY_STRICT);
    await atlas.log.append(judgedSession(SESSIONS + 1, { strict: 0.1, kind: 1 }, hash).map(atlas.log.mask));
    await approveAll(atlas);
    const after = await exportedFrom(atlas);
    expect((await rewardsIn(atlas))[0]).toBe(0.1);
    expect((await rebuild(atlas, { derived: true })).derived).toMatchObject({ differences: 0 });
    expect(await exportedFrom(atlas)).toBe(after);
    // The session that came after is held against the promoted rewards, not against those before.
    const drifts = (await read(atlas, "atlas.drift")).filter(
      ({ meta }) => meta.session_id === idOf("judged", SESSIONS + 1),
    );
    expect(drifts).toMatchObject([{ baseline: [{ sample_count: SESSIONS }] }]);
    expect(await promote(atlas.log, { branch: "strict" })).toMatchObject({ revised: 0 });
  });

  test("that was interrupted is completed by the next", async () => {
    const atlas = await filled();
    const { branch, rulesHash } = await rescore(atlas.log, { rubric: ONLY_STRICT });
    const meta = { event_id: newId(), source: `promotion/${newId()}`, sequence: 1 };
    await atlas.log.append(
      [
        createEvent(
          "DerivationPromoted",
          { ...meta, occurred_at: nowMicros(), time_assumed: false },
          { processor: "session-rewards", version: 1, rules_hash: rulesHash, branch },
        ),
      ].map(atlas.log.mask),
    );
    expect(await promote(atlas.log, { branch })).toMatchObject({ revised: 2 * SESSIONS });
    await atlas.settled();
    expect(new Set(await rewardsIn(atlas))).toEqual(new Set([0.4, 0.7]));
  });

  test("explains what was judged under the old rules meanwhile", async () => {
    const atlas = await filled();
    const old = await atlas.rules.ensure(atlas.config.rules);
    const { branch } = await rescore(atlas.log, { rubric: ONLY_STRICT });
    await promote(atlas.log, { branch });
    await atlas.log.append(judgedSession(SESSIONS + 1, { strict: 0.1, kind: 1 }, old).map(atlas.log.mask));
    await atlas.settled();
    const first = await rebuild(atlas, { derived: true, mayPublish: async () => true });
    expect(first.derived).toMatchObject({ differences: 2, explained: 2 });
    await atlas.settled();
    expect((await rewardsIn(atlas))[0]).toBe(0.1);
    expect((await rebuild(atlas, { derived: true })).derived).toMatchObject({ differences: 0 });
  });

  test("takes back what a rule approved, and leaves a person's word, then and later", async () => {
    const atlas = await filled(AUTO);
    for (let number = 1; number <= 4; number += 1) {
      const session = judgedSession(
        100 + number,
        { strict: 0.4, kind: 0.9 },
        await atlas.rules.ensure(atlas.config.rules),
      );
      await atlas.log.append(session.map(atlas.log.mask));
    }
    await atlas.settled();
    const reviewed = await listSessions(atlas.db, { sessionIds: [idOf("judged", 101)] });
    await atlas.log.append(decisionsOn(atlas.log, reviewed, "approved", { author: "ann" }));
    await atlas.settled();
    expect(await statusOf(atlas, 101)).toBe("approved");
    expect(await statusOf(atlas, 102)).toBe("approved");
    const { branch, counts } = await rescore(atlas.log, { rubric: ONLY_STRICT, rules: await rulesOf(atlas) });
    expect(counts.review["approved → pending"]).toBeGreaterThan(0);
    await promote(atlas.log, { branch });
    await atlas.settled();
    expect(await statusOf(atlas, 101)).toBe("approved");
    expect(await statusOf(atlas, 102)).toBe("pending");
    const later = await listSessions(atlas.db, { sessionIds: [idOf("judged", 101), idOf("judged", 102)] });
    await atlas.log.append(decisionsOn(atlas.log, later, "quarantined", { author: "bea" }));
    await atlas.settled();
    expect(await statusOf(atlas, 101)).toBe("quarantined");
    expect(await statusOf(atlas, 102)).toBe("quarantined");
    for await (const trace of streamTraces(atlas.db, {
      sessionIds: [idOf("judged", 101)],
      reviewStatusFilters: "all",
    }))
      expect(reviewHistory(trace).changes.at(-1)).toMatchObject({
        author: "bea",
        overrode: { author: "ann", said: "approved" },
      });
    expect((await rebuild(atlas, { derived: true })).derived).toMatchObject({ published: 0 });
  });

  test("is refused where sessions would lose their reward", async () => {
    const atlas = await filled();
    const none: Rubric = { ...DEFAULT_RULES.rubric, weights: { strict: 0, kind: 0 } };
    const { branch, counts } = await rescore(atlas.log, { rubric: none });
    expect(counts.lost).toBe(SESSIONS);
    await expect(promote(atlas.log, { branch })).rejects.toMatchObject({
      code: expect.stringMatching(/ATLAS_(PROMOTION_REFUSED|BRANCH_NOT_FOUND)/),
    });
  });

  test("gives way to a configuration that says other rules afterwards", async () => {
    const folder = folderForTest();
    const atlas = await filled({}, folder);
    const { branch, rulesHash } = await rescore(atlas.log, { rubric: ONLY_STRICT });
    await promote(atlas.log, { branch });
    await atlas.close();
    const same = await opened(folder);
    expect(await same.rules.ensure(same.config.rules)).toBe(rulesHash);
    await same.close();
    const other = await opened(folder, { rules: { rubric: { aggregation: "median" } } });
    const hash = await other.rules.ensure(other.config.rules);
    expect(other.rules.lookup(hash).rubric.aggregation).toBe("median");
  });
});
