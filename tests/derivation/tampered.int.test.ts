import { describe, expect, test } from "vitest";
import type { Atlas } from "../../app/open-atlas.ts";
import { rebuild } from "../../app/rebuild.ts";
import type { Difference } from "../../derivation/compare-derived.ts";
import type { SessionRewarded } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { TOPICS } from "../../schemas/topics.ts";
import { judgedSession } from "../app/judged.ts";
import { approveAll, exportedFrom, folderForTest, opened } from "../app/opened.ts";
import { recordedFolder } from "../app/recorded-folder.ts";
import { eventsOf } from "../as-readers.ts";

const SESSIONS = 8;
const TAMPERED = 3;

/** A log with rewarded, approved sessions. */
const record = recordedFolder(async (folder) => {
  const atlas = await opened(folder);
  const hash = await atlas.rules.ensure(atlas.config.rules);
  for (let number = 1; number <= SESSIONS; number += 1) {
    await atlas.log.append(judgedSession(number, { only: number / 10 }, hash).map(atlas.log.mask));
    await atlas.settled();
  }
  await approveAll(atlas);
  await atlas.close();
});

async function filled(): Promise<Atlas> {
  const folder = folderForTest();
  await record(folder);
  return opened(folder);
}

/** Says by hand that a session got another reward than its judgements come to. */
async function tamper({ log, settled }: Atlas): Promise<SessionRewarded> {
  const rewards = await eventsOf(log, "atlas.rewards", "SessionRewarded");
  const reward = rewards.find(({ meta }) => meta.session_id === idOf("judged", TAMPERED))!;
  const { meta } = reward;
  const forged: SessionRewarded = {
    ...reward,
    score: 0.99,
    meta: {
      ...meta,
      event_id: idOf("forged", meta.event_id),
      source: `${meta.source}@${meta.session_id}@r1`,
      sequence: 1,
      derivation: { ...meta.derivation!, revision: 1 },
    },
  };
  await log.append([forged].map(log.mask));
  await settled();
  return forged;
}

/** A line says, as JSON text within JSON, how often its reward was computed anew. */
const withoutRevisions = (text: string): string => text.replaceAll(/(revision\\":)\d+/g, "$1–");

describe("rebuild --derived on a log whose rewards were tampered with", () => {
  test("reports the first difference, and publishes nothing without leave", async () => {
    const atlas = await filled();
    const forged = await tamper(atlas);
    const before = await atlas.log.ends(TOPICS);
    let shown: readonly Difference[] = [];
    const { derived } = await rebuild(atlas, {
      derived: true,
      mayPublish: async (differences) => {
        shown = differences;
        expect(await atlas.log.ends(TOPICS)).toEqual(before);
        return false;
      },
    });
    expect(shown[0]).toMatchObject({ topic: "atlas.rewards", sessionId: forged.meta.session_id });
    expect(derived).toMatchObject({
      published: 0,
      first: `atlas.rewards of ${forged.meta.session_id}: SessionRewarded.score is 0.99 in the log and 0.3 computed again`,
    });
    expect(await atlas.log.ends(TOPICS)).toEqual(before);
  });

  test("publishes nothing when nobody is asked", async () => {
    const atlas = await filled();
    await tamper(atlas);
    const before = await atlas.log.ends(TOPICS);
    const { derived } = await rebuild(atlas, { derived: true });
    expect(derived!.differences).toBeGreaterThan(0);
    expect(derived!.published).toBe(0);
    expect(await atlas.log.ends(TOPICS)).toEqual(before);
  });

  test("publishes revisions with leave, after which the log agrees and the export is what it was", async () => {
    const atlas = await filled();
    const untouched = await exportedFrom(atlas);
    await tamper(atlas);
    expect(await exportedFrom(atlas)).not.toBe(untouched);
    const { derived } = await rebuild(atlas, { derived: true, mayPublish: async () => true });
    expect(derived!.published).toBeGreaterThan(0);
    await atlas.settled();
    const revised = await exportedFrom(atlas);
    expect(withoutRevisions(revised)).toBe(withoutRevisions(untouched));
    expect((await rebuild(atlas, { derived: true })).derived).toMatchObject({ differences: 0, published: 0 });
    expect(await exportedFrom(atlas)).toBe(revised);
  });
});
