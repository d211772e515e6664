import { describe, expect, it } from "vitest";
import { drift } from "../../processors/drift.ts";
import { applyFacts } from "../../processors/run-processor.ts";
import type { EventOf } from "../../schemas/generated/events.ts";
import { DEFAULT_RULES, type DriftGuardrails } from "../../schemas/rules.ts";
import { alerts, assessments, historyOf, perfect, type Reward, series, varied } from "./drift-series.ts";
import { at, decided, HASH, type RewardOptions, rewarded, rulesOf } from "./facts.ts";

describe("drift", () => {
  it("assesses each rewarded session once, and no decision", () => {
    const [first, second] = series([1, 1]);
    const run = drift.begin(undefined, rulesOf());
    const assessed = (cause: Reward) => [
      expect.objectContaining({ type: "DriftAssessed", cause, rulesHash: HASH }),
    ];
    expect(run.take(first!)).toEqual(assessed(first!));
    expect(run.take(decided("approved", 1))).toEqual([]);
    expect(run.take(second!)).toEqual(assessed(second!));
  });

  it("agrees with figures worked out by hand", () => {
    // The five before: mean .6, squared distances .04 .01 .01 0 .04, median .6, distances 0 .1 .1 .2 .2; the two
    // below the mean are .2 and .1 away from it: √(.05 / 2) = .158. Only one metric, of which .00135 is due to z:
    // t of 4 degrees of freedom leaves .000675 above 7.959, and √(6 / 4) times that is the limit.
    const [assessed] = assessments(series([0.4, 0.5, 0.7, 0.6, 0.8, 0.1])).slice(-1);
    expect(assessed).toMatchObject({
      alert: false,
      reason: null,
      window: 50,
      threshold: 3,
      score: 0.1,
      metrics: [{ metric: "score", value: 0.1, delta: -0.5, z: -3.16227766017, mad_z: -3.37245379738 }],
      baseline: [
        {
          metric: "score",
          sample_count: 5,
          mean: 0.6,
          median: 0.6,
          stddev: 0.141421356237,
          mad: 0.1,
          spread: 0.158113883008,
          scale: "linear",
        },
      ],
    });
    expect(assessed!.metrics[0]!.limit).toBeCloseTo(9.748, 3);
    expect(assessed!.meta).toMatchObject({
      source: "drift/counting",
      sequence: 6,
      derivation: { processor: "drift", version: 3, rules_hash: HASH },
    });
  });

  it("raises an alert at once when a score that varies little collapses", () => {
    const all = assessments(series([...varied(40, 0.8), 0]));
    expect(alerts(all)).toEqual([[40, "score_z", "decline"]]);
    expect(all.at(-1)!.message).toMatch(
      /^score 0 against a mean of 0\.[78]\d* over 40 sessions \(z -[\d.]+, MAD z -[\d.]+, limit [\d.]+\)$/,
    );
  });

  it("raises one when perfect scores turn into failures, and none for a single failure", () => {
    expect(alerts(assessments(series([...perfect(8), 0, ...perfect(30)])))).toEqual([]);
    expect(alerts(assessments(series([...perfect(8), 0, 0, 0, 0, 0])))).toEqual([
      [11, "score_change", "decline"],
    ]);
    expect(alerts(assessments(series([...perfect(50), 0, 0, 0])))).toEqual([[51, "score_change", "decline"]]);
  });

  it("sees a total collapse after scores that alternate", () => {
    const alternating = Array.from({ length: 200 }, (_, index) => (index + 1) % 2);
    const all = assessments(series([...alternating, ...Array.from({ length: 40 }, () => 0)]));
    const [found] = alerts(all);
    expect(found).toEqual([expect.any(Number), "score_change", "decline"]);
    expect(found![0]).toBeLessThan(215);
    expect(alerts(all)).toHaveLength(1);
  });

  it("does not take a pass rate for drift that is what it was, however short the history", () => {
    const passes = (seed: number): number[] =>
      Array.from({ length: 12 }, (_, index) => ((seed * 7919 + index * index * 31) % 5 === 0 ? 0 : 1));
    for (let seed = 0; seed < 20; seed += 1) expect(alerts(assessments(series(passes(seed))))).toEqual([]);
  });

  it("does not take usual outliers for drift", () => {
    // One session in twelve is far out to either side; then one that is about as far out, and one much further.
    const scores = Array.from({ length: 144 }, (_, index) => {
      const usual = 0.5 + 0.03 * Math.sin(index * 2.4);
      return index % 12 === 5 ? usual + (index % 24 === 5 ? 0.25 : -0.25) : usual;
    });
    const share = { change_point: { slack: 0.25, share: 0.01 } };
    const late = (last: number) =>
      alerts(assessments(series([...scores, last]), share)).filter(([index]) => Number(index) >= 60);
    expect(late(0.2)).toEqual([]);
    expect(late(-5)).toEqual([[144, "score_z", "decline"]]);
  });

  it("does not take one grade of 0.05 for drift", () => {
    expect(alerts(assessments(series([...perfect(8), 0.95])))).toEqual([]);
  });

  it("tells improvement from decline, of every metric", () => {
    const usual = (index: number) => ({ uncertainty: 0.3, tokens: 1000, seconds: 10, index });
    const last = (score: number, options: RewardOptions) => {
      const { index: _, ...same } = usual(0);
      return alerts(
        assessments(
          series([...varied(60, 0.5), score], (index) => (index < 60 ? same : { ...same, ...options })),
        ),
      )[0]?.slice(1);
    };
    expect(last(1, {})).toEqual(["score_z", "improvement"]);
    expect(last(0, {})).toEqual(["score_z", "decline"]);
    expect(last(0.5, { uncertainty: 0.9 })).toEqual(["uncertainty_z", "decline"]);
    expect(last(0.5, { uncertainty: 0 })).toEqual(["uncertainty_z", "improvement"]);
    expect(last(0.5, { tokens: 9000 })).toEqual(["tokens_z", "decline"]);
    expect(last(0.5, { tokens: 100 })).toEqual(["tokens_z", "improvement"]);
    expect(last(0.5, { seconds: 100 })).toEqual(["duration_z", "decline"]);
    expect(last(0.5, { seconds: 12 })).toBeUndefined();
  });

  it("asks more of each metric the more there are", () => {
    const limit = (options: RewardOptions) =>
      assessments(series(varied(12, 0.5), () => options)).at(-1)!.metrics[0]!.limit!;
    expect(limit({ tokens: 10, seconds: 1, uncertainty: 0.1 })).toBeGreaterThan(limit({}));
    const only = assessments(
      series(varied(9, 0.5), () => ({ tokens: 10 })),
      { metrics: ["score"] },
    ).at(-1)!;
    expect(only.metrics.map(({ metric }) => metric)).toEqual(["score"]);
  });

  it("compares tokens on a log scale and says so", () => {
    const [last] = assessments(
      series(varied(8, 0.5), (index) => ({ tokens: index % 2 === 0 ? 100 : 400 })),
    ).slice(-1);
    expect(last!.baseline[1]).toMatchObject({ metric: "tokens", scale: "log", sample_count: 7 });
    expect(last!.baseline[1]!.mean).toBeCloseTo(100 ** (4 / 7) * 400 ** (3 / 7), 6);
    expect(last!.metrics[1]!.z).toBeCloseTo(
      Math.log(400 / last!.baseline[1]!.mean!) / last!.baseline[1]!.spread!,
      9,
    );
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

  it("looks back over its window and no further", () => {
    const all = assessments(series([0, 0.1, 0, 1, 0.9, 1, 0.9, 1, 1]), { window: 5, min_baseline: 9 });
    expect(all.at(-1)!.baseline[0]).toMatchObject({ sample_count: 5, mean: 0.96 });
  });

  it("leaves alerted sessions out of the baseline, and takes back those that a person approved", () => {
    const facts = series([...varied(40, 0.8), 0, 0.8, 0.8]);
    expect(
      assessments(facts)
        .map(({ baseline }) => baseline[0]!.sample_count)
        .slice(-3),
    ).toEqual([40, 40, 41]);
    const approved = [...facts.slice(0, 41), decided("approved", 42, "a", "40"), ...facts.slice(41)];
    expect(
      assessments(approved)
        .map(({ baseline }) => baseline[0]!.sample_count)
        .slice(-3),
    ).toEqual([40, 41, 42]);
  });

  it("leaves out what a person had quarantined by the time a session completed", () => {
    const facts = series(varied(12, 0.7));
    const counts = (...words: EventOf<"ReviewDecided">[]) =>
      assessments([...words, ...facts]).map(({ baseline }) => baseline[0]!.sample_count);
    const quarantined = decided("quarantined", 9, "q", "2");
    expect(counts(quarantined)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10]);
    expect(counts(quarantined, decided("approved", 11, "a", "2"))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 10, 11,
    ]);
    expect(counts(decided("quarantined", 99, "q", "2"))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it("finds a slow decline, and settles on the level it leads to", () => {
    const scores = [
      ...varied(50, 0.9, 0.03),
      ...varied(150, 0, 0.03).map((noise, index) => 0.9 - 0.004 * index + noise),
      ...varied(60, 0.3, 0.03),
    ];
    const found = alerts(assessments(series(scores)));
    expect(found[0]![0]).toBeLessThan(80);
    expect(new Set(found.map(([, , direction]) => direction))).toEqual(new Set(["decline"]));
    expect(found.some(([, reason]) => reason === "score_change")).toBe(true);
    expect(found.filter(([index]) => Number(index) >= 225)).toEqual([]);
  });

  it("stops alerting after a sustained shift: the new level is the baseline", () => {
    const all = assessments(series([...varied(40, 0.8), ...varied(60, 0.4)]));
    const found = alerts(all).map(([index]) => Number(index));
    expect(found[0]).toBe(40);
    expect(found.at(-1)).toBeLessThan(55);
    // The change is dated to where the sum of rank scores set out, a few sessions before it at most.
    expect(all.at(-1)!.baseline[0]!.since! / at(1)).toBeGreaterThan(35);
    expect(all.at(-1)!.baseline[0]!.since! / at(1)).toBeLessThanOrEqual(41);
    expect(all.at(-1)!.baseline[0]!.mean).toBeCloseTo(0.4, 1);
  });

  it("does not look for changes where no share of false alarms is left for them", () => {
    const all = assessments(series([...varied(40, 0.8), ...varied(30, 0.74)]), {
      change_point: { slack: 0.5, share: 0 },
    });
    expect(all.at(-1)!.metrics[0]!.change ?? null).toBeNull();
  });

  it("compares within agent, models and configuration, unless told to mix them", () => {
    const facts = series(varied(24, 0.5), (index) => ({
      models: [index % 2 === 0 ? "a" : "b"],
      configuration: index < 12 ? "one" : "two",
    }));
    const count = (by: DriftGuardrails["by"]) =>
      assessments(facts, { by, fall_back: 0 }).at(-1)!.baseline[0]!.sample_count;
    expect(count(["agent", "model", "configuration"])).toBe(5);
    expect(count(["model"])).toBe(11);
    expect(count(["agent"])).toBe(23);
    expect(assessments(facts, { by: ["model"], fall_back: 0 }).at(-1)!.cohort).toBe('{"model":["b"]}');
  });

  it("compares with the sessions of its agent while a cohort has few, and says so", () => {
    const facts = series(varied(60, 0.5), (index) => ({
      agent: index === 7 ? "other" : "counter",
      models: [`model ${Math.floor(index / 10)}`],
    }));
    const all = assessments(facts);
    expect(all.at(-1)).toMatchObject({ baseline: [{ sample_count: 50 }], cohort: '{"agent":"counter"}' });
    expect(all[5]!.cohort).toContain('"model":["model 0"]');
    expect(all[7]).toMatchObject({ baseline: [{ sample_count: 0 }] });
    const few = assessments(facts, { fall_back: 5 });
    expect(few.slice(-6).map(({ baseline }) => baseline[0]!.sample_count)).toEqual([50, 5, 6, 7, 8, 9]);
    expect(few.at(-1)!.cohort).toContain('"model":["model 5"]');
  });

  it("finds a change that comes with a new model every day", () => {
    const scores = [...varied(200, 0.8), ...varied(60, 0.7)];
    const facts = series(scores, (index) => ({ models: [`model ${Math.floor(index / 20)}`] }));
    const found = alerts(assessments(facts));
    expect(found[0]![0]).toBeGreaterThanOrEqual(200);
    expect(found[0]![0]).toBeLessThan(215);
    expect(found).toHaveLength(1);
    expect(alerts(assessments(facts, { fall_back: 0 }))).toEqual([]);
  });

  it("raises an alert once while it cools down, keeps the session out of baselines, and says so", () => {
    const scores = [...varied(60, 0.8), 0, ...varied(9, 0.8), -9, ...varied(30, 0.8), -99];
    const all = assessments(series(scores));
    expect(alerts(all)).toEqual([
      [60, "score_z", "decline"],
      [101, "score_z", "decline"],
    ]);
    expect(all[70]).toMatchObject({ alert: false, reason: "cool_down" });
    expect(all[71]!.baseline[0]!.mean).toBeCloseTo(0.8, 1);
    expect(alerts(assessments(series(scores), { cool_down: 0 })).map(([index]) => index)).toEqual([
      60, 70, 101,
    ]);
  });

  it("does not hold back a change that set out after the alert that cools down", () => {
    const scores = [...varied(60, 0.8), 0, ...varied(12, 0.8), ...varied(40, 0.7)];
    const [first, second] = alerts(assessments(series(scores)));
    expect(first).toEqual([60, "score_z", "decline"]);
    expect(second).toEqual([expect.any(Number), "score_change", "decline"]);
    expect(Number(second![0])).toBeLessThan(60 + DEFAULT_RULES.drift.cool_down + 10);
  });

  it("keeps a small state", () => {
    const facts = series(varied(500, 0.8), (index) => ({
      uncertainty: 0.1 + 0.05 * Math.cos(index),
      tokens: 3000 + 7 * index,
      seconds: 20 + Math.sin(index),
    }));
    const { keyState } = applyFacts(drift, undefined, facts, rulesOf());
    const [cohort] = Object.values(historyOf(keyState).cohorts);
    expect(cohort!.sessions).toHaveLength(200);
    expect(JSON.stringify(keyState).length).toBeLessThan(200 * 250);
  });

  it("remembers the newest cohorts only", () => {
    const facts = series(varied(80, 0.5), (index) => ({ agent: `agent ${index % 40}` }));
    const { keyState } = applyFacts(drift, undefined, facts, rulesOf());
    expect(Object.keys(historyOf(keyState).cohorts)).toHaveLength(32);
  });

  describe("with a session that comes late", () => {
    const inOrder = series([1, 0.5, 0, 1, 1, 1]);
    const late = inOrder[2]!;
    const arrived = [...inOrder.filter((fact) => fact !== late), late];
    const bySession = (facts: readonly Reward[]) =>
      new Map(assessments(facts).map((event) => [event.meta.session_id, event]));

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
      expect(all.get(next.meta.session_id)!.baseline).toEqual(
        bySession([...inOrder, next]).get(next.meta.session_id)!.baseline,
      );
    });

    it("finds a whole window before it when as many have overtaken it", () => {
      const facts = series(Array.from({ length: 9 }, (_, index) => index / 10));
      const overtaken = facts[4]!;
      const all = assessments([...facts.filter((fact) => fact !== overtaken), overtaken], {
        window: 4,
        min_baseline: 5,
      });
      expect(all.at(-1)).toMatchObject({ completed_at: at(5), baseline: [{ sample_count: 4, mean: 0.15 }] });
    });
  });

  it("orders sessions that completed together by their id", () => {
    const together = ["a", "b", "c"].map((name) => rewarded(name, 0.5, at(1)));
    const sorted = [...together].sort((a, b) => (a.meta.session_id! < b.meta.session_id! ? -1 : 1));
    const counts = (facts: readonly Reward[]) =>
      assessments(facts).map(({ baseline }) => baseline[0]!.sample_count);
    expect(counts([...sorted].reverse())).toEqual([0, 0, 0]);
    expect(counts(sorted)).toEqual([0, 1, 2]);
  });

  it("never counts a session in its own baseline, however often it was rewarded", () => {
    const [one] = series([1]);
    const meta = { ...one!.meta, event_id: "018f0000-0000-7000-8000-000000000000" };
    const again = { ...one!, score: 0, models: ["other"], meta };
    const all = assessments([one!, again, rewarded("two", 1, at(9), { models: ["other"] })]);
    expect(all.map(({ baseline }) => baseline[0]!.sample_count)).toEqual([0, 0, 1]);
  });

  it("refuses a reward that names no rules", () => {
    const [one] = series([1]);
    const underived = { ...one!, meta: { ...one!.meta, derivation: null } };
    expect(() => assessments([underived])).toThrow(expect.objectContaining({ code: "ATLAS_EVENT_INVALID" }));
  });
});
