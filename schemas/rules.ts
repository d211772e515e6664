import { createHash } from "node:crypto";

/** How judges' scores can be put together. */
export const AGGREGATIONS = ["weighted_mean", "median", "min"] as const;

/** Which judgements count. */
export interface RubricThresholds {
  /** A sample that is less certain of itself than this is left out, unless an arbitration settled it. 1: none is. */
  max_uncertainty: number;
  /** A judge with fewer samples than this has no say, unless an arbitration spoke for it. */
  min_samples: number;
}

/** How judgements become a reward. */
export interface Rubric {
  /**
   * How judges' scores are put together: their weighted mean, their weighted median (the score at which half of the
   * weight is reached; between two scores, their mean), or the least score of a judge whose weight is above 0.
   */
  aggregation: (typeof AGGREGATIONS)[number];
  /** Weight of each judge by name, 0 or more; a judge that is not named has weight 1. */
  weights: Record<string, number>;
  thresholds: RubricThresholds;
}

/** What of a session is held against the sessions before it. */
export const DRIFT_METRICS = ["score", "uncertainty", "tokens", "duration"] as const;
/** The name of one of them. */
export type DriftMetricName = (typeof DRIFT_METRICS)[number];

/** What sessions of one baseline can be made to share, beside their learning key. */
export const COHORT_FIELDS = ["agent", "model", "configuration"] as const;
/** The name of one of them. */
export type CohortField = (typeof COHORT_FIELDS)[number];

/** How slow changes are found. */
export interface ChangePoint {
  /** Shifts of less than about twice this many standard deviations are let pass; 0.25 finds those above half of one. */
  slack: number;
  /** Part of the allowed false alarms that goes to this test, from 0 (never test) to below 1. */
  share: number;
}

/** When a session counts as drift from the sessions of its learning key before it. */
export interface DriftGuardrails {
  /** How many earlier sessions make up the baseline. */
  window: number;
  /** Says how rare a false alarm is: as rare as a normal value this many standard deviations from its mean. */
  threshold: number;
  /** Fewer earlier sessions than this raise no alert. */
  min_baseline: number;
  /** What is tested, in the order in which an alert names its reason. */
  metrics: DriftMetricName[];
  /** What sessions of one baseline share beside the learning key; a field that is left out is mixed. */
  by: CohortField[];
  /** The least spread that a baseline is taken to have: points of score and uncertainty, shares of tokens and duration. */
  floors: Record<DriftMetricName, number>;
  change_point: ChangePoint;
  /** Among how many earlier sessions of the present level ranks are taken. */
  history: number;
  /** With fewer earlier sessions in its cohort, a session is held against those of its agent; 0 never. */
  fall_back: number;
  /** For how many sessions of a cohort the same alert is not raised again; 0 raises each. */
  cool_down: number;
}

/** What a session needs to be approved by rule. */
export interface AutoApprove {
  min_reward: number;
  /** A reward without uncertainty is not approved by rule; null does not ask. */
  max_uncertainty: number | null;
}

/** Which alerts can quarantine a session. */
export const QUARANTINE_ON = ["off", "decline", "any"] as const;

/** What a rule may say about a session before a person does. */
export interface ReviewGuardrails {
  /** Approves complete sessions without a drift alert. */
  auto_approve: AutoApprove | "off";
  /** Quarantines sessions whose drift alert has this direction. */
  quarantine_on_alert: (typeof QUARANTINE_ON)[number];
}

/** Everything that processors work by. A `RulesSet` event carries it as JSON text. */
export interface Rules {
  rubric: Rubric;
  drift: DriftGuardrails;
  review: ReviewGuardrails;
}

/** The rules of a log that was never told others. */
export const DEFAULT_RULES: Rules = {
  rubric: {
    aggregation: "weighted_mean",
    weights: {},
    thresholds: { max_uncertainty: 1, min_samples: 1 },
  },
  drift: {
    window: 50,
    threshold: 3,
    min_baseline: 5,
    metrics: [...DRIFT_METRICS],
    by: [...COHORT_FIELDS],
    floors: { score: 0.02, uncertainty: 0.02, tokens: 0.1, duration: 0.2 },
    change_point: { slack: 0.25, share: 0.5 },
    history: 200,
    fall_back: 20,
    cool_down: 20,
  },
  review: { auto_approve: "off", quarantine_on_alert: "off" },
};

/** Rules as an earlier version of this package may have stored them: whole blocks and single keys can be absent. */
export interface StoredRules {
  rubric?: Partial<Rubric>;
  drift?: Partial<DriftGuardrails>;
  review?: Partial<ReviewGuardrails>;
}

/**
 * Fills in what stored rules do not say. Their hash stays that of the text they were stored as.
 *
 * @example
 * completeRules({ drift: { window: 20 } }).drift.threshold; // 3
 */
export function completeRules({ rubric, drift, review }: StoredRules): Rules {
  const { rubric: usual, drift: guardrails, review: said } = DEFAULT_RULES;
  return {
    rubric: { ...usual, ...rubric, thresholds: { ...usual.thresholds, ...rubric?.thresholds } },
    drift: {
      ...guardrails,
      ...drift,
      floors: { ...guardrails.floors, ...drift?.floors },
      change_point: { ...guardrails.change_point, ...drift?.change_point },
    },
    review: { ...said, ...review },
  };
}

/** An object with its keys in order; any other value as it is. */
export const withKeysInOrder = (value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
    : value;

/** JSON text with the keys of every object in order, so that equal values give equal text. */
export const stableJson = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => withKeysInOrder(inner));

/**
 * SHA-256 that names a set of rules, as 64 hex digits.
 *
 * @example
 * rulesHash(DEFAULT_RULES);
 */
export const rulesHash = (rules: StoredRules): string =>
  createHash("sha256").update(stableJson(rules)).digest("hex");

/** Finds rules by their hash. */
export type RulesLookup = (hash: string) => Rules;
