import { z } from "zod";
import {
  AGGREGATIONS,
  COHORT_FIELDS,
  DEFAULT_RULES,
  DRIFT_METRICS,
  QUARANTINE_ON,
  type Rules,
} from "../schemas/rules.ts";

const { rubric: usual, drift, review } = DEFAULT_RULES;
const share = z.number().min(0).max(1);

const oneOf = <const T extends readonly string[]>(names: T) =>
  z.enum(names, { error: `must be ${names.slice(0, -1).join(", ")} or ${names.at(-1)}` });

const namesOf = <const T extends readonly string[]>(names: T) =>
  z.array(oneOf(names)).refine((list) => new Set(list).size === list.length, {
    error: "must not name the same twice",
  });

/** How judgements become a reward. */
export const rubricSchema = z.strictObject({
  aggregation: oneOf(AGGREGATIONS).default(usual.aggregation),
  weights: z.record(z.string(), z.number().min(0)).default({}),
  thresholds: z
    .strictObject({
      max_uncertainty: share.default(usual.thresholds.max_uncertainty),
      min_samples: z.int().min(1).default(usual.thresholds.min_samples),
    })
    .prefault({}),
});

const floor = (value: number) => z.number().positive().default(value);

/** When a session counts as drift. */
export const driftSchema = z.strictObject({
  window: z.int().min(1).max(1000).default(drift.window),
  threshold: z.number().positive().default(drift.threshold),
  min_baseline: z.int().min(0).default(drift.min_baseline),
  metrics: namesOf(DRIFT_METRICS).default([...drift.metrics]),
  by: namesOf(COHORT_FIELDS).default([...drift.by]),
  floors: z
    .strictObject({
      score: floor(drift.floors.score),
      uncertainty: floor(drift.floors.uncertainty),
      tokens: floor(drift.floors.tokens),
      duration: floor(drift.floors.duration),
    })
    .prefault({}),
  change_point: z
    .strictObject({
      slack: z.number().min(0.1).max(2).default(drift.change_point.slack),
      share: z.number().min(0).max(0.9).default(drift.change_point.share),
    })
    .prefault({}),
  history: z.int().min(1).max(2000).default(drift.history),
  fall_back: z.int().min(0).max(1000).default(drift.fall_back),
  cool_down: z.int().min(0).max(1000).default(drift.cool_down),
});

/** What a rule may say about a session before a person does. */
export const reviewSchema = z.strictObject({
  auto_approve: z
    .union(
      [
        z.literal("off"),
        z.strictObject({
          min_reward: share,
          max_uncertainty: share.nullable().default(0.3).describe("null does not ask."),
        }),
      ],
      { error: "must be off, or say min_reward (0 to 1) and may say max_uncertainty (0 to 1, or null)" },
    )
    .default(review.auto_approve),
  quarantine_on_alert: oneOf(QUARANTINE_ON).default(review.quarantine_on_alert),
});

/** What processors work by. */
export const rulesSchema = z
  .strictObject({
    rubric: rubricSchema.prefault({}),
    drift: driftSchema.prefault({}),
    review: reviewSchema.prefault({}),
  })
  .transform((rules): Rules => rules);
