import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { driftReport } from "../../derivation/reports/drift-report.ts";
import { rewardReport } from "../../derivation/reports/reward-report.ts";
import { promote } from "../../derivation/rescore/promote.ts";
import { rescore } from "../../derivation/rescore/rescore.ts";
import { DEFAULT_RULES } from "../../schemas/rules.ts";
import { judgedSession } from "../app/judged.ts";
import { folderForTest, opened } from "../app/opened.ts";

/** Steady rewards, then far lower ones: drift has something to say. */
const scoreOf = (number: number): number => (number > 24 ? 0.1 : (80 + (number % 3)) / 100);
const numbers = Array.from({ length: 30 }, (_, index) => index + 1);

async function filled() {
  const atlas = await opened(folderForTest());
  const hash = await atlas.rules.ensure(atlas.config.rules);
  for (const number of numbers)
    await atlas.log.append(judgedSession(number, { kind: scoreOf(number) }, hash).map(atlas.log.mask));
  await atlas.settled();
  return atlas;
}

test("reports sort their sessions on disk where they are many, and say the same", async () => {
  const atlas = await filled();
  const folder = folderForTest();
  const most = 1000;
  let kept = 0;
  const sorting = {
    folder,
    characters: most,
    onKept: (characters: number) => {
      kept = Math.max(kept, characters);
    },
  };
  const rewards = await rewardReport(atlas, { by: "agent" }, sorting);
  expect(rewards.groups.map(({ scores }) => scores)).toEqual([numbers.map(scoreOf)]);
  expect(rewards).toMatchObject({ sessions: 30, groups: [{ sessions: 30, least: 0.1, greatest: 0.82 }] });
  expect(await rewardReport(atlas, { by: "agent" })).toEqual(rewards);

  const drift = await driftReport(atlas, { by: "learning-key" }, sorting);
  const [group] = drift.groups;
  expect(group!.alerts).toBeGreaterThan(0);
  expect(group!.trend.reduce((sum, count) => sum + count, 0)).toBe(group!.alerts);
  expect(drift.alerts).toHaveLength(group!.alerts);
  expect(drift.alerts.map(({ completedAt }) => completedAt)).toEqual(
    drift.alerts.map(({ completedAt }) => completedAt).toSorted((a, b) => b - a),
  );
  expect(await driftReport(atlas, { by: "learning-key" })).toEqual(drift);

  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThanOrEqual(most);
  expect(readdirSync(folder)).toEqual([]);
});

test("reports take the highest revision of a reward, and a branch in its place", async () => {
  const atlas = await filled();
  const rubric = { ...DEFAULT_RULES.rubric, weights: { kind: 1, absent: 1 } };
  await rescore(atlas.log, { rubric, branch: "other" });
  const sorting = { folder: folderForTest(), characters: 1000 };
  const live = await rewardReport(atlas, {}, sorting);
  const branch = await rewardReport(atlas, { branch: "other" }, sorting);
  expect(branch.sessions).toBe(30);
  await promote(atlas.log, { branch: "other", author: "test" });
  await atlas.settled();
  const promoted = await rewardReport(atlas, {}, sorting);
  expect(promoted.groups[0]!.scores).toEqual(branch.groups[0]!.scores);
  expect(promoted.sessions).toBe(live.sessions);
});
