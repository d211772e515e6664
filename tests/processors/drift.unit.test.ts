import fc from "fast-check";
import { TestScheduler } from "rxjs/testing";
import { describe, expect, it } from "vitest";
import { checkProcessor } from "../../processors/check-processor.ts";
import { drift } from "../../processors/drift.ts";
import { applyFacts } from "../../processors/run-processor.ts";
import type { AtlasEvent, EventOf } from "../../schemas/generated/events.ts";
import { DEFAULT_RULES, type DriftGuardrails } from "../../schemas/rules.ts";
import { at, HASH, rewarded, rulesOf } from "./facts.ts";

type Reward = EventOf<"SessionRewarded">;

function assessments(facts: readonly AtlasEvent[], guardrails: Partial<DriftGuardrails> = {}) {
  const rules = rulesOf({ drift: { ...DEFAULT_RULES.drift, ...guardrails } });
  return checkProcessor(drift, facts, { rules, runs: 12 }).events as EventOf<"DriftAssessed">[];
}

/** One session a second with these scores. */
const series = (scores: readonly number[], uncertainties: readonly number[] = []): Reward[] =>
  scores.map((score, index) =>
    rewarded(
      String(index),
      score,
      at(index + 1),
      uncertainties[index] === undefined ? {} : { uncertainty: uncertainties[index] },
    ),
  );

const perfect = (count: number): number[] => Array.from({ length: count }, () => 1);

describe("drift", () => {
  it("assesses each rewarded session once", () => {
    const [first, second] = series([1, 1]);
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    scheduler.run(({ cold, expectObservable }) => {
      const outputs$ = drift.process(cold("-a--b|", { a: first!, b: second! }), undefined, rulesOf());
      const assessed = (cause: Reward, sessions: number) => ({
        state: { widest: 50, sessions: Array.from({ length: sessions }, () => expect.anything()) },
        emit: [expect.objectContaining({ type: "DriftAssessed", cause, rulesHash: HASH })],
      });
      expectObservable(outputs$).toBe("-1--2|", { 1: assessed(first!, 1), 2: assessed(second!, 2) });
    });
  });

  it("agrees with figures worked out by hand", () => {
    // The five before: mean .6, squared distances .04 .01 .01 0 .04, median .6, distances 0 .1 .1 .2 .2
    const [assessed] = assessments(series([0.4, 0.5, 0.7, 0.6, 0.8, 0.1])).slice(-1);
    expect(assessed).toMatchObject({
      alert: true,
      reason: "score_z",
      direction: "decline",
      message: "score 0.1 against a mean of 0.6 over the 5 sessions before (z -3.53553390593, threshold 3)",
      window: 50,
      threshold: 3,
      metrics: [{ metric: "score", value: 0.1, delta: -0.5, z: -3.53553390593, mad_z: -3.37245379738 }],
      baseline: [
        { metric: "score", sample_count: 5, mean: 0.6, median: 0.6, stddev: 0.141421356237, mad: 0.1 },
      ],
    });
    expect(assessed!.meta).toMatchObject({
      source: "drift/counting",
      sequence: 6,
      derivation: { processor: "drift", rules_hash: HASH },
    });
  });

  it("raises an alert at once when a constant score collapses", () => {
    const all = assessments(series([...perfect(8), 0]));
    expect(all.slice(0, -1).every(({ alert }) => !alert)).toBe(true);
    expect(all.at(-1)).toMatchObject({
      alert: true,
      reason: "score_z",
      direction: "decline",
      metrics: [{ delta: -1, z: -50, mad_z: -50 }],
      baseline: [{ sample_count: 8, mean: 1, stddev: 0 }],
    });
  });

  it("does not take one grade of 0.05 for drift", () => {
    expect(assessments(series([...perfect(8), 0.95])).at(-1)).toMatchObject({ alert: false, reason: null });
    expect(assessments(series([...perfect(8), 0.9])).at(-1)).toMatchObject({ alert: true });
  });

  it("tells improvement from decline, of scores and of uncertainty", () => {
    const better = assessments(series([0.2, 0.2, 0.2, 0.2, 0.2, 0.9])).at(-1);
    expect(better).toMatchObject({ alert: true, reason: "score_z", direction: "improvement" });
    const scores = perfect(6);
    const unsure = assessments(series(scores, [0.1, 0.1, 0.1, 0.1, 0.1, 0.8])).at(-1);
    expect(unsure).toMatchObject({ alert: true, reason: "uncertainty_z", direction: "decline" });
    const sure = assessments(series(scores, [0.8, 0.8, 0.8, 0.8, 0.8, 0.1])).at(-1);
    expect(sure).toMatchObject({ alert: true, reason: "uncertainty_z", direction: "improvement" });
  });

  it("is silent until there is enough to compare with", () => {
    const all = assessments(series([1, 1, 1, 1, 0, 0.5]));
    expect(all.map(({ reason }) => reason)).toEqual([
      ...Array.from({ length: 5 }, () => "insufficient_baseline"),
      null,
    ]);
    expect(all[0]).toMatchObject({ alert: false, metrics: [{ value: 1, delta: null, z: null }] });
    expect(all[4]).toMatchObject({ alert: false, metrics: [{ delta: -1, z: null, mad_z: null }] });
    const [first] = assessments(series([0]), { min_baseline: 0 });
    expect(first).toMatchObject({ alert: false, reason: "insufficient_baseline" });
  });

  it("does not hold an uncertainty against sessions that had none", () => {
    const all = assessments(
      series([...perfect(6), 1, 1], [...Array.from({ length: 6 }), 0.9, 0.1] as number[]),
    );
    expect(all[6]).toMatchObject({
      alert: false,
      reason: null,
      baseline: [
        { metric: "score", sample_count: 6 },
        { metric: "uncertainty", sample_count: 0, mean: null },
      ],
    });
    expect(all[7]).toMatchObject({ baseline: [{}, { metric: "uncertainty", sample_count: 1, mean: 0.9 }] });
  });

  it("looks back over its window and no further", () => {
    const all = assessments(series([0, 0, 0, 1, 1, 1, 1, 1, 1]), { window: 5 });
    expect(all.at(-1)).toMatchObject({ baseline: [{ sample_count: 5, mean: 1 }] });
    expect(all.at(-2)).toMatchObject({ baseline: [{ sample_count: 5, mean: 0.8 }] });
  });

  it("keeps learning keys apart", () => {
    const other = [1, 2, 3].map((second) =>
      rewarded(`other ${second}`, 0, at(second), { learning_key: "sums" }),
    );
    const facts = series(perfect(6)).flatMap((fact, index) => [fact, ...other.slice(index, index + 1)]);
    const sums = assessments(facts).filter(({ learning_key }) => learning_key === "sums");
    expect(sums.map(({ meta, baseline }) => [meta.sequence, baseline[0]?.sample_count])).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
    ]);
  });

  describe("with a session that comes late", () => {
    const inOrder = series([1, 0.5, 0, 1, 1, 1]);
    const late = inOrder[2]!;
    const arrived = [...inOrder.filter((fact) => fact !== late), late];
    const bySession = (facts: readonly Reward[]) =>
      new Map(assessments(facts, { min_baseline: 1 }).map((event) => [event.meta.session_id, event]));

    it("assesses it against those that completed before it", () => {
      expect(bySession(arrived).get(late.meta.session_id)).toMatchObject({
        baseline: [{ sample_count: 2, mean: 0.75 }],
      });
    });

    it("counts it for those after it and rewrites nothing", () => {
      const next = rewarded("next", 1, at(10));
      const all = bySession([...arrived, next]);
      expect(all.size).toBe(7);
      expect(all.get(inOrder[3]!.meta.session_id)).toMatchObject({ baseline: [{ sample_count: 2 }] });
      expect(all.get(next.meta.session_id)).toEqual(
        expect.objectContaining({
          baseline: bySession([...inOrder, next]).get(next.meta.session_id)!.baseline,
        }),
      );
    });

    it("finds a whole window before it when as many have overtaken it", () => {
      const scores = Array.from({ length: 9 }, (_, index) => index / 10);
      const facts = series(scores);
      const overtaken = facts[4]!;
      const all = assessments([...facts.filter((fact) => fact !== overtaken), overtaken], { window: 4 });
      expect(all.at(-1)).toMatchObject({ completed_at: at(5), baseline: [{ sample_count: 4, mean: 0.15 }] });
    });
  });

  it("orders sessions that completed together by their id", () => {
    const together = ["a", "b", "c"].map((name) => rewarded(name, 0.5, at(1)));
    const sorted = [...together].sort((a, b) => (a.meta.session_id! < b.meta.session_id! ? -1 : 1));
    const reversed = assessments([...sorted].reverse(), { min_baseline: 1 });
    expect(reversed.map(({ baseline }) => baseline[0]!.sample_count)).toEqual([0, 0, 0]);
    const forward = assessments(sorted, { min_baseline: 1 });
    expect(forward.map(({ baseline }) => baseline[0]!.sample_count)).toEqual([0, 1, 2]);
  });

  it("never counts a session in its own baseline, however often it was rewarded", () => {
    const [one] = series([1]);
    const again = {
      ...one!,
      score: 0,
      meta: { ...one!.meta, event_id: "018f0000-0000-7000-8000-000000000000" },
    };
    expect(assessments([one!, again]).at(-1)).toMatchObject({ baseline: [{ sample_count: 0 }] });
  });

  it("keeps a state of two windows at most, in order, whatever arrives", () => {
    const arrivals = fc.array(
      fc.record({
        second: fc.integer({ min: 1, max: 40 }),
        score: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 6 }), (sessions, window) => {
        const facts = sessions.map(({ second, score }, index) => rewarded(String(index), score, at(second)));
        const rules = rulesOf({ drift: { window, threshold: 3, min_baseline: 1 } });
        const kept = applyFacts(drift, undefined, facts, rules).keyState?.state?.sessions ?? [];
        expect(kept.length).toBe(Math.min(facts.length, 2 * window));
        const places = kept.map(
          ({ completed_at, session_id }) => `${String(completed_at).padStart(12, "0")} ${session_id}`,
        );
        expect(places).toEqual([...places].sort());
      }),
    );
  });

  it("refuses a reward that names no rules", () => {
    const [one] = series([1]);
    const underived = { ...one!, meta: { ...one!.meta, derivation: null } };
    expect(() => assessments([underived])).toThrow(expect.objectContaining({ code: "ATLAS_EVENT_INVALID" }));
  });
});
