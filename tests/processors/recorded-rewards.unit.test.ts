import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { drift } from "../../processors/drift.ts";
import { applyFacts } from "../../processors/run-processor.ts";
import { sessionRewards } from "../../processors/session-rewards.ts";
import type { EventOf } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { at, judgedSession, rulesOf } from "./facts.ts";

const RUNS = process.env.ATLAS_RECORDED_RUNS;

/** Rewards of real runs where they are at hand, else passes and fails in a fixed order. */
function groundTruth(): number[] {
  if (RUNS === undefined) return Array.from({ length: 100 }, (_, index) => ((index * 37) % 100 < 45 ? 1 : 0));
  const lines = readFileSync(join(RUNS, "airline.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => (JSON.parse(line) as { reward: number }).reward);
}

/** Five runs make up a session's reward: their passes, as five judgements of one judge. */
function sessionsOf(rewards: readonly number[][]): EventOf<"DriftAssessed">[] {
  const rewarded = rewards.flatMap((scores, index) => {
    const facts = judgedSession(
      `recorded ${index}`,
      scores.map((score) => ({ judge: "ground truth", score })),
      { endedAt: at(100 * (index + 1)) },
    );
    return applyFacts(sessionRewards, undefined, facts as never[], rulesOf()).events;
  }) as EventOf<"SessionRewarded">[];
  const inBatches = rewarded.reduce<{
    saved: Parameters<typeof applyFacts>[1];
    events: EventOf<"DriftAssessed">[];
  }>(
    ({ saved, events }, reward) => {
      const applied = applyFacts(
        drift,
        JSON.parse(JSON.stringify(saved ?? null)) ?? undefined,
        [reward],
        rulesOf(),
      );
      return {
        saved: applied.keyState,
        events: [...events, ...(applied.events as EventOf<"DriftAssessed">[])],
      };
    },
    { saved: undefined, events: [] },
  ).events;
  const atOnce = applyFacts(drift, undefined, rewarded, rulesOf()).events;
  expect(inBatches).toEqual(atOnce);
  return inBatches;
}

/** The recorded rewards over and over, drawn five at a time in an order that a name decides. */
function drawn(count: number): number[][] {
  const truth = groundTruth();
  const pick = (session: number, sample: number): number =>
    truth[Number.parseInt(idOf("draw", session, sample).slice(0, 6), 16) % truth.length]!;
  return Array.from({ length: count }, (_, session) =>
    [0, 1, 2, 3, 4].map((sample) => pick(session, sample)),
  );
}

const alertsFrom = (events: readonly EventOf<"DriftAssessed">[], first: number) =>
  events.flatMap(({ alert, direction }, index) => (alert && index >= first ? [{ index, direction }] : []));

describe("recorded rewards", () => {
  it("raise hardly an alert as they are", () => {
    expect(alertsFrom(sessionsOf(drawn(300)), 0).length).toBeLessThanOrEqual(2);
  });

  it("show a collapse that was planted in them", () => {
    const events = sessionsOf(drawn(160).map((scores, index) => (index < 100 ? scores : [0, 0, 0, 0, 0])));
    const [found] = alertsFrom(events, 100);
    expect(found).toMatchObject({ direction: "decline" });
    expect(found!.index - 100).toBeLessThan(20);
    expect(alertsFrom(events, 140)).toEqual([]);
  });

  it("show a slope that was planted in them", () => {
    const sloping = drawn(160).map((scores, index) =>
      scores.map((score) => Math.max(0, score * (1 - Math.max(0, index - 60) / 60))),
    );
    expect(alertsFrom(sessionsOf(sloping), 60)[0]).toMatchObject({ direction: "decline" });
  });

  it("show a spike of cost that was planted in them", () => {
    const facts = drawn(60).flatMap((scores, index) => {
      const judged = judgedSession(
        `recorded ${index}`,
        scores.map((score) => ({ score })),
        {
          endedAt: at(100 * (index + 1)),
        },
      );
      const ended = judged[1] as EventOf<"SessionEnded">;
      const total_tokens = index === 50 ? 90_000 : 3_000 + 100 * (index % 7);
      judged[1] = { ...ended, usage: { ...ended.usage!, total_tokens } };
      return applyFacts(sessionRewards, undefined, judged as never[], rulesOf()).events;
    });
    const events = applyFacts(drift, undefined, facts as never[], rulesOf())
      .events as EventOf<"DriftAssessed">[];
    expect(alertsFrom(events, 0)).toEqual([{ index: 50, direction: "decline" }]);
    expect(events[50]!.reason).toBe("tokens_z");
  });
});
