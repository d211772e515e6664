import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { rebuild } from "../../app/rebuild.ts";
import { promote } from "../../derivation/rescore/promote.ts";
import { rescore } from "../../derivation/rescore/rescore.ts";
import { listSessions } from "../../projections/session-summaries.ts";
import { DEFAULT_RULES, type Rubric, type Rules } from "../../schemas/rules.ts";
import { judgedSession } from "../app/judged.ts";
import { exportedFrom } from "../app/opened.ts";
import { eventsOf } from "../as-readers.ts";
import { LOGS } from "../soak/logs.ts";
import { type OpenPlace, openPlace } from "../soak/place.ts";
import { embeddedPlace } from "../soak/places.ts";
import type { Promoting } from "./promoting-child.ts";

const SESSIONS = 12;
const BRANCH = "strict";
const RUBRIC: Rubric = { ...DEFAULT_RULES.rubric, weights: { strict: 1, kind: 0 } };
const RULES: Rules = {
  ...DEFAULT_RULES,
  review: { auto_approve: { min_reward: 0.1, max_uncertainty: null }, quarantine_on_alert: "off" },
};
const scoresOf = (number: number): Record<string, number> =>
  number % 2 === 0 ? { strict: 0.7, kind: 0.7 } : { strict: 0.4, kind: 0.9 };

async function fill({ log, rules, settled }: OpenPlace): Promise<void> {
  const hash = await rules.set(RULES);
  for (let number = 1; number <= SESSIONS; number += 1) {
    await log.append(judgedSession(number, scoresOf(number), hash).map(log.mask));
    await settled();
  }
}

const rewardsIn = async ({ db }: OpenPlace): Promise<Set<number | null>> =>
  new Set((await listSessions(db, { limit: null })).map(({ reward }) => reward));

async function promoteAll({ log, settled }: OpenPlace): Promise<number> {
  await rescore(log, { rubric: RUBRIC, rules: RULES, branch: BRANCH });
  const { revised } = await promote(log, { branch: BRANCH, author: "test" });
  await settled();
  return revised;
}

/** Promotes in a process that is gone half-way. */
async function promoteAndDie(promoting: Promoting): Promise<void> {
  const file = join(import.meta.dirname, "promoting-child.ts");
  const child = spawn(process.execPath, ["--no-warnings", file, JSON.stringify(promoting)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
}

/** What is exported where nobody is killed: the same from every log. */
let undisturbed: string;
beforeAll(async () => {
  const { place, remove } = await embeddedPlace();
  const opened = await openPlace(place, true);
  await fill(opened);
  await promoteAll(opened);
  undisturbed = await exportedFrom(opened);
  await opened.close();
  await remove();
});

describe.each(LOGS)("a promotion on the $name log", ({ skip, make }) => {
  test.skipIf(skip)(
    "that is killed again and again is completed by the next, and is that of an undisturbed one",
    async () => {
      const { place, remove } = await make();
      onTestFinished(remove);
      const opened = await openPlace(place, true);
      onTestFinished(opened.close);
      await fill(opened);
      const stages = ["rules", "half of the branch", "promotion", "half of the revisions"] as const;
      for (const goneAfter of stages)
        await promoteAndDie({ place, rubric: RUBRIC, rules: RULES, branch: BRANCH, goneAfter });
      expect(await promoteAll(opened)).toBeGreaterThan(0);
      expect(await rewardsIn(opened)).toEqual(new Set([0.4, 0.7]));
      expect(await eventsOf(opened.log, "atlas.decisions", "DerivationPromoted")).toHaveLength(1);
      expect(await eventsOf(opened.log, "atlas.branches", "SessionRewarded")).toHaveLength(SESSIONS);
      const exported = await exportedFrom(opened);
      expect(exported.trimEnd().split("\n")).toHaveLength(SESSIONS);
      expect(exported).toBe(undisturbed);

      expect(await promoteAll(opened)).toBe(0);
      const { derived } = await rebuild(opened, { derived: true, mayPublish: async () => true });
      expect(derived).toMatchObject({ published: 0, explained: derived!.differences });
      expect(await exportedFrom(opened)).toBe(exported);
    },
  );
});
