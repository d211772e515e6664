import { describe, expect, it } from "vitest";
import { loadConfig } from "../../configs/load-config.ts";
import { completeRules, DEFAULT_RULES, rulesHash } from "../../schemas/rules.ts";

describe("rules", () => {
  it("are the default ones where nothing is said", () => {
    expect(loadConfig({}, {}).rules).toEqual(DEFAULT_RULES);
  });

  it("take every setting", () => {
    const { rules } = loadConfig(
      {
        rules: {
          rubric: { aggregation: "median", thresholds: { maxUncertainty: 0.5, minSamples: 2 } },
          drift: {
            metrics: ["score"],
            by: ["agent"],
            floors: { score: 0.1 },
            changePoint: { share: 0 },
            history: 100,
            fallBack: 0,
            coolDown: 5,
          },
          review: { autoApprove: { minReward: 0.9 }, quarantineOnAlert: "any" },
        },
      },
      { ATLAS_DRIFT_WINDOW: "20" },
    );
    expect(rules).toEqual({
      rubric: { aggregation: "median", weights: {}, thresholds: { max_uncertainty: 0.5, min_samples: 2 } },
      drift: {
        ...DEFAULT_RULES.drift,
        window: 20,
        metrics: ["score"],
        by: ["agent"],
        floors: { ...DEFAULT_RULES.drift.floors, score: 0.1 },
        change_point: { slack: 0.25, share: 0 },
        history: 100,
        fall_back: 0,
        cool_down: 5,
      },
      review: { auto_approve: { min_reward: 0.9, max_uncertainty: 0.3 }, quarantine_on_alert: "any" },
    });
  });

  it.each([
    [{ rubric: { aggregation: "mode" } }, "rules.rubric.aggregation must be"],
    [{ drift: { metrics: ["score", "score"] } }, "must not name the same twice"],
    [{ drift: { by: ["task"] } }, "must be agent, model or configuration"],
    [{ drift: { floors: { score: 0 } } }, "rules.drift.floors.score must be more than 0"],
    [{ review: { autoApprove: "on" } }, "must be off, or say min"],
  ])("refuse %j", (rules, problem) => {
    const load = () => loadConfig({ rules } as never, {});
    expect(load).toThrow(expect.objectContaining({ code: "ATLAS_CONFIG_INVALID" }));
    expect(load).toThrow(problem);
  });

  it("that were stored with fewer keys keep their hash, and are read with defaults", () => {
    const stored = {
      rubric: { aggregation: "weighted_mean" as const, weights: { a: 2 } },
      drift: { window: 20, threshold: 2, min_baseline: 3 },
    };
    expect(completeRules(stored)).toEqual({
      rubric: { ...DEFAULT_RULES.rubric, weights: { a: 2 } },
      drift: { ...DEFAULT_RULES.drift, ...stored.drift },
      review: DEFAULT_RULES.review,
    });
    expect(rulesHash(stored)).toBe("c399d554a90856fd9056450f156e32dd4535d37d74d6f7595ca12e321579cb33");
  });
});
