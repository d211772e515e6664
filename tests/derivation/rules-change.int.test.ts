import { describe, expect, test } from "vitest";
import { rebuild } from "../../app/rebuild.ts";
import { judgedSession } from "../app/judged.ts";
import { folderForTest, opened } from "../app/opened.ts";
import { eventsOf } from "../as-readers.ts";

const SCORES = { strict: 0.2, kind: 0.8 };
const EVENLY = {};
const STRICTLY = { rules: { rubric: { weights: { strict: 3, kind: 1 } } } };

describe("rules that change between two starts", () => {
  test("reward what is judged under them, and leave earlier rewards as they are", async () => {
    const folder = folderForTest();
    const before = await opened(folder, EVENLY);
    const evenly = await before.rules.ensure(before.config.rules);
    await before.log.append(judgedSession(1, SCORES, evenly).map(before.log.mask));
    await before.settled();
    await before.close();

    const after = await opened(folder, STRICTLY);
    const strictly = await after.rules.ensure(after.config.rules);
    await after.log.append(judgedSession(2, SCORES, strictly).map(after.log.mask));
    await after.settled();
    const rewards = await eventsOf(after.log, "atlas.rewards", "SessionRewarded");
    expect(rewards.map(({ score }) => score)).toEqual([0.5, 0.35]);
    expect(rewards.map(({ meta }) => meta.derivation?.rules_hash)).toEqual([evenly, strictly]);

    const { derived } = await rebuild(after, { derived: true });
    expect(derived).toMatchObject({ differences: 0, published: 0 });
  });

  test("do not touch a session that was judged before the restart and is rewarded after it", async () => {
    const folder = folderForTest();
    const before = await opened(folder, EVENLY, { consumers: false });
    await before.log.append(
      judgedSession(1, SCORES, await before.rules.ensure(before.config.rules)).map(before.log.mask),
    );
    await before.close();

    const after = await opened(folder, STRICTLY);
    await after.settled();
    const [reward] = await eventsOf(after.log, "atlas.rewards", "SessionRewarded");
    expect(reward?.score).toBe(0.5);
  });

  test("are set once, however often they come back", async () => {
    const folder = folderForTest();
    for (const rules of [EVENLY, STRICTLY, EVENLY, STRICTLY]) {
      const atlas = await opened(folder, rules);
      await atlas.rules.ensure(atlas.config.rules);
      await atlas.close();
    }
    const atlas = await opened(folder);
    expect(await eventsOf(atlas.log, "atlas.decisions", "RulesSet")).toHaveLength(2);
  });
});
