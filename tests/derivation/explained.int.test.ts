import { describe, expect, test } from "vitest";
import { decisionsOn } from "../../app/api/reviews.ts";
import type { Atlas } from "../../app/open-atlas.ts";
import { rebuild } from "../../app/rebuild.ts";
import { verifyLog } from "../../derivation/verify-log.ts";
import { idOf } from "../../schemas/identity.ts";
import { judgedSession } from "../app/judged.ts";
import { folderForTest, opened } from "../app/opened.ts";

const AUTO = { rules: { review: { autoApprove: { minReward: 0.5, maxUncertainty: null } } } };

async function judge(atlas: Atlas, number: number, score: number): Promise<void> {
  const hash = await atlas.rules.ensure(atlas.config.rules);
  await atlas.log.append(judgedSession(number, { only: score }, hash).map(atlas.log.mask));
  await atlas.settled();
}

async function decide(atlas: Atlas, number: number): Promise<void> {
  const session = {
    sessionId: idOf("judged", number),
    learningKey: "judged",
    reviewStatus: "pending",
  } as const;
  await atlas.log.append(decisionsOn(atlas.log, [session], "quarantined", { author: "ann" }));
  await atlas.settled();
}

describe("what differs when it is computed again, and is no fault", () => {
  test("is a person's word that came before the rule's: the same stands, and nothing is published", async () => {
    const atlas = await opened(folderForTest(), AUTO);
    await decide(atlas, 1);
    await judge(atlas, 1, 0.9);
    const { unorderedReviews } = await verifyLog(atlas.log);
    expect(unorderedReviews).toMatchObject([
      { sessionId: idOf("judged", 1), what: "a person decided before it was assessed" },
    ]);
    const reasons: (string | undefined)[] = [];
    const { derived } = await rebuild(atlas, {
      derived: true,
      mayPublish: async (differences) => {
        for (const { explained } of differences) reasons.push(explained);
        return true;
      },
    });
    expect(derived).toMatchObject({ differences: 1, explained: 1, published: 0 });
    expect(reasons[0]).toContain("the same stands");
  });

  test("is drift after a session that was rewarded late, up to a revision of it", async () => {
    const atlas = await opened(folderForTest());
    for (const number of [2, 3, 4, 5, 6, 7, 8, 9]) await judge(atlas, number, 0.8 + number / 100);
    await judge(atlas, 1, 0.1);
    expect((await verifyLog(atlas.log)).outOfOrder).toMatchObject([{ sessionId: idOf("judged", 1) }]);
    const first = await rebuild(atlas, { derived: true, mayPublish: async () => true });
    expect(first.derived!.differences).toBe(8);
    expect(first.derived!.explained).toBe(8);
    expect(first.derived!.published).toBe(8);
    await atlas.settled();
    expect((await rebuild(atlas, { derived: true })).derived).toMatchObject({ differences: 0 });
    // Revisions come later than what they revise, and say nothing about the order of arrival.
    expect((await verifyLog(atlas.log)).outOfOrder).toHaveLength(1);
  });
});
