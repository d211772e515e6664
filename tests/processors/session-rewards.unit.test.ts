import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkProcessor } from "../../processors/check-processor.ts";
import { applyFacts } from "../../processors/run-processor.ts";
import { sessionRewards } from "../../processors/session-rewards.ts";
import type { AtlasEvent, EventOf } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { DEFAULT_RULES, type Rubric } from "../../schemas/rules.ts";
import { fact, HASH, type JudgementOptions, judgedSession, rulesOf } from "./facts.ts";

type Fact = Parameters<typeof sessionRewards.key>[0];

function rewardOf(facts: readonly AtlasEvent[], rubric: Partial<Rubric> = {}) {
  const rules = rulesOf({ rubric: { ...DEFAULT_RULES.rubric, ...rubric } });
  return checkProcessor(sessionRewards, facts, { rules }).events as EventOf<"SessionRewarded">[];
}

const rewardFor = (
  judgements: readonly JudgementOptions[],
  weights: Rubric["weights"] = {},
  rubric: Partial<Rubric> = {},
) => rewardOf(judgedSession("one", judgements), { weights, ...rubric })[0];

describe("session-rewards", () => {
  it("emits when the set is complete, and only then", () => {
    const facts = judgedSession("one", [{ score: 1 }, { score: 0 }]);
    const run = sessionRewards.begin(undefined, rulesOf());
    expect(facts.slice(0, -1).flatMap((each) => run.take(each))).toEqual([]);
    expect(run.take(facts.at(-1)!)).toEqual([
      expect.objectContaining({ type: "SessionRewarded", rulesHash: HASH }),
    ]);
    expect(run.state()).toBeUndefined();
    expect(run.isOver()).toBe(true);
  });

  it("carries what the session was, and the envelope of its cause", () => {
    const facts = judgedSession("one", [{ score: 0.25 }]);
    const [reward] = rewardOf(facts);
    const judged = facts.at(-1) as EventOf<"SessionJudged">;
    expect(reward).toMatchObject({
      type: "SessionRewarded",
      score: 0.25,
      learning_key: "counting",
      agent: "counter",
      tags: ["a", "b"],
      status: "succeeded",
      tokens: 15,
      duration_us: 4_000_000,
      started_at: 1_000_000,
      completed_at: 5_000_000,
      judgements: judged.judgements,
      meta: {
        event_id: idOf("session-rewards", 2, HASH, judged.meta.event_id, 0),
        session_id: judged.meta.session_id,
        source: `session-rewards/${judged.meta.session_id}`,
        sequence: 1,
        occurred_at: 6_000_000,
        causation_id: judged.meta.event_id,
        trace_id: "0af7651916cd43dd8448eb211c80319c",
        derivation: { processor: "session-rewards", version: 2, rules_hash: HASH, branch: null, revision: 0 },
      },
    });
  });

  it("says of an imported session which one its import put before it", () => {
    const after = idOf("session", "before");
    const [started, ...rest] = judgedSession("one", [{ score: 1 }]) as [
      EventOf<"SessionStarted">,
      ...AtlasEvent[],
    ];
    expect(rewardOf([{ ...started, after }, ...rest])).toMatchObject([{ after }]);
    expect(rewardOf([started, ...rest])).toMatchObject([{ after: null }]);
  });

  it("weighs judges, and has figures that can be worked out by hand", () => {
    const reward = rewardFor(
      [
        { judge: "process", score: 0.5, uncertainty: 0.1 },
        { judge: "process", score: 0.7, uncertainty: 0.3 },
        { judge: "helpfulness", score: 0.9, uncertainty: 0.2 },
      ],
      { process: 3, helpfulness: 1 },
    );
    // (0.6 · 3 + 0.9 · 1) / 4; samples .5 .7 .9 have the mean .7 and the deviation √(.08 / 3).
    expect(reward).toMatchObject({
      score: 0.675,
      judges: [
        { judge: "process", score: 0.6, weight: 3, samples: 2, uncertainty: 0.2, escalated: false },
        { judge: "helpfulness", score: 0.9, weight: 1, samples: 1, uncertainty: 0.2, escalated: false },
      ],
      statistics: {
        score_mean: 0.7,
        score_stddev: 0.163299316186,
        sample_count: 3,
        uncertainty_mean: 0.2,
        uncertainty_stddev: 0.0816496580928,
        best_uncertainty: 0.1,
      },
      escalations: 0,
    });
  });

  it("takes an arbitration's score and keeps the samples that it settled", () => {
    const reward = rewardFor([
      { score: 0.1, uncertainty: 0.5 },
      { score: 0.9, uncertainty: 0.7 },
      { score: 0.8, uncertainty: 0.05, stage: "arbitration" },
    ]);
    expect(reward).toMatchObject({
      score: 0.8,
      judges: [{ score: 0.8, samples: 2, uncertainty: 0.6, escalated: true }],
      statistics: { score_mean: 0.5, score_stddev: 0.4, sample_count: 2, uncertainty_mean: 0.6 },
      escalations: 1,
    });
  });

  it("leaves out a judge of weight 0, but lists it", () => {
    const reward = rewardFor([{ judge: "style", score: 0 }, { score: 0.8 }], { style: 0 });
    expect(reward).toMatchObject({
      score: 0.8,
      statistics: { sample_count: 1, score_stddev: 0 },
      judges: [
        { judge: "style", weight: 0 },
        { judge: "outcome", weight: 1 },
      ],
    });
  });

  it("rewards steps of their own judgements", () => {
    const reward = rewardFor([
      { score: 0.5 },
      { score: 1, step_id: 2 },
      { score: 0.2, step_id: 1 },
      { score: 0.6, step_id: 1, judge: "process" },
    ]);
    expect(reward).toMatchObject({
      score: 0.5,
      statistics: { sample_count: 1 },
      steps: [
        { step_id: 1, score: 0.4, judges: [{ judge: "outcome" }, { judge: "process" }] },
        { step_id: 2, score: 1 },
      ],
    });
  });

  it("gives no reward where nobody with a weight judged the session", () => {
    expect(rewardFor([])).toBeUndefined();
    expect(rewardFor([{ score: 1, step_id: 1 }])).toBeUndefined();
    expect(rewardFor([{ judge: "style", score: 1 }], { style: 0 })).toBeUndefined();
    expect(rewardFor([{ judge: "constructor", score: 1 }])).toMatchObject({ score: 1 });
  });

  it("uses only the judgements that SessionJudged names", () => {
    const stray = fact("JudgementMade", "one", "stray", { judge: "outcome", stage: "sample", score: 0 });
    const [started, ...rest] = judgedSession("one", [{ score: 1 }]);
    expect(rewardOf([started!, stray, ...rest])).toMatchObject([
      { score: 1, statistics: { sample_count: 1 } },
    ]);
  });

  it("keeps the first reward when a session is judged again", () => {
    const again = judgedSession("one", [{ score: 0 }], { name: "again" }).slice(2);
    const events = rewardOf([...judgedSession("one", [{ score: 1 }]), ...again]);
    expect(events.map(({ score }) => score)).toEqual([1]);
  });

  it("does not reward an abandoned session, but one that had ended before", () => {
    const facts = judgedSession("one", [{ score: 1 }]);
    const abandoned = fact("SessionAbandoned", "one", "", {
      learning_key: "counting",
      deadline: 1,
      reason: "deadline passed",
    });
    const [started, ended, ...judgements] = facts;
    expect(rewardOf([started!, abandoned, ended!, ...judgements])).toEqual([]);
    expect(rewardOf([started!, ended!, abandoned, ...judgements])).toHaveLength(1);
  });

  it("forgets a session with its reward", () => {
    const facts = judgedSession("one", [{ score: 1 }]) as Fact[];
    const { keyState, events } = applyFacts(sessionRewards, undefined, facts, rulesOf());
    expect(events).toHaveLength(1);
    expect(keyState).toBeUndefined();
    const unjudged = judgedSession("two", []) as Fact[];
    expect(applyFacts(sessionRewards, undefined, unjudged, rulesOf()).keyState).toBeUndefined();
  });

  it("has the statistics of each judge and each step", () => {
    const reward = rewardFor([
      { score: 0.5 },
      { score: 0.2, step_id: 1, uncertainty: 0.1 },
      { score: 0.6, step_id: 1, uncertainty: 0.3 },
      { score: 0.9, step_id: 1, stage: "arbitration" },
    ]);
    const judge = { score: 0.9, stddev: 0.2, uncertainty: 0.2, best_uncertainty: 0.1, escalated: true };
    expect(reward!.steps).toMatchObject([
      {
        score: 0.9,
        judges: [judge],
        statistics: { score_mean: 0.4, score_stddev: 0.2, sample_count: 2, best_uncertainty: 0.1 },
        escalations: 1,
      },
    ]);
    expect(reward!.judges).toMatchObject([{ stddev: 0, best_uncertainty: null }]);
  });

  it.each([
    ["median" as const, { a: 1, b: 1, c: 1 }, 0.7],
    ["median" as const, { a: 5, b: 1, c: 1 }, 0.1],
    ["median" as const, { a: 1, b: 1, c: 2 }, 0.8],
    ["median" as const, { a: 0, b: 1, c: 1 }, 0.8],
    ["min" as const, { a: 1, b: 1, c: 1 }, 0.1],
    ["min" as const, { a: 0, b: 1, c: 1 }, 0.7],
    ["weighted_mean" as const, { a: 1, b: 2, c: 1 }, 0.6],
  ])("puts judges together by their %s under the weights %j", (aggregation, weights, score) => {
    const judgements = [
      { judge: "c", score: 0.9 },
      { judge: "a", score: 0.1 },
      { judge: "b", score: 0.7 },
    ];
    expect(rewardFor(judgements, weights, { aggregation })!.score).toBe(score);
  });

  it("leaves out samples that are too uncertain, and judges with too few", () => {
    const judgements = [
      { judge: "a", score: 0.2, uncertainty: 0.9 },
      { judge: "a", score: 0.8, uncertainty: 0.1 },
      { judge: "b", score: 0.4, uncertainty: 0.9 },
      { judge: "c", score: 0.1, uncertainty: 0.9 },
      { judge: "c", score: 0.6, uncertainty: 0.9, stage: "arbitration" },
    ];
    const certain = rewardFor(judgements, {}, { thresholds: { max_uncertainty: 0.5, min_samples: 1 } });
    expect(certain!.judges.map(({ judge, score }) => [judge, score])).toEqual([
      ["a", 0.8],
      ["c", 0.6],
    ]);
    const many = rewardFor(judgements, {}, { thresholds: { max_uncertainty: 1, min_samples: 2 } });
    expect(many!.judges.map(({ judge }) => judge)).toEqual(["a", "c"]);
    const none = { thresholds: { max_uncertainty: 0.05, min_samples: 1 } };
    expect(rewardFor(judgements.slice(0, 2), {}, none)).toBeUndefined();
  });

  it("carries the models that answered the student, and how it was set up", () => {
    const call = (name: string, role: string, model: string, error: string | null = null) =>
      fact("ModelCallEnded", "one", name, { call_id: name, role, provider: "openai", model, error });
    const between = [
      call("1", "student", "small"),
      call("2", "teacher", "large"),
      call("3", "student", "big"),
      call("4", "student", "small"),
      call("5", "student", "broken", "timeout"),
    ];
    const [reward] = rewardOf(judgedSession("one", [{ score: 1 }], { between }));
    expect(reward).toMatchObject({ models: ["big", "small"], complete: true });
    const answered = { ...call("6", "student", "cut", "its call was cut off"), content: "" };
    const [cut] = rewardOf(judgedSession("one", [{ score: 1 }], { between: [...between, answered] }));
    expect(cut).toMatchObject({ models: ["big", "cut", "small"], complete: true });
    const [other] = rewardOf(judgedSession("two", [{ score: 1 }]));
    expect(other).toMatchObject({ models: [], complete: true, configuration: reward!.configuration });
    const [started, ...rest] = judgedSession("one", [{ score: 1 }]) as [EventOf<"SessionStarted">, ...Fact[]];
    const [prompted] = rewardOf([{ ...started, executor_system_prompt: "Count." }, ...rest]);
    expect(prompted!.configuration).not.toBe(reward!.configuration);
  });

  it("says that a session is incomplete where one of its events is missing", () => {
    const between = ["1", "2"].map((name) =>
      fact("StepSkipped", "one", name, { step_id: Number(name), reason: "done" }),
    );
    const facts = judgedSession("one", [{ score: 1 }], { between });
    expect(rewardOf(facts)[0]!.complete).toBe(true);
    expect(rewardOf([...facts.slice(0, 2), facts[1]!, ...facts.slice(2)])[0]!.complete).toBe(true);
    expect(rewardOf(facts.filter((event) => event !== between[0] && event !== facts[1]))[0]!.complete).toBe(
      false,
    );
  });

  it("is a function of the set of facts, whatever their order", () => {
    const judgement = fc.record({
      judge: fc.constantFrom("process", "helpfulness"),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
      stage: fc.constantFrom("sample", "arbitration"),
    });
    const shuffledSession = fc
      .array(judgement, { maxLength: 5 })
      .map((judgements) => judgedSession("one", judgements) as Fact[])
      .chain((facts) =>
        fc.tuple(
          fc.constant(facts),
          fc.shuffledSubarray(facts, { minLength: facts.length, maxLength: facts.length }),
        ),
      );
    fc.assert(
      fc.property(shuffledSession, ([facts, shuffled]) => {
        // Only sources interleave in a log: what is missing of one shows by its sequences.
        const whole = (events: readonly Fact[]) => {
          const { keyState, events: emitted } = applyFacts(sessionRewards, undefined, events, rulesOf());
          const rewards = emitted as EventOf<"SessionRewarded">[];
          return {
            emitted: keyState?.emitted,
            rewards: rewards.map((reward) => ({ ...reward, complete: null })),
          };
        };
        expect(whole(shuffled)).toEqual(whole(facts));
      }),
    );
  });
});
