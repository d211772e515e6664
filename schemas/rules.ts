import { createHash } from "node:crypto";

/** How judgements become a reward. */
export interface Rubric {
  /** How judges' scores are put together. */
  aggregation: "weighted_mean";
  /** Weight of each judge by name, 0 or more; a judge that is not named has weight 1. */
  weights: Record<string, number>;
}

/** When a session counts as drift from the sessions of its learning key before it. */
export interface DriftGuardrails {
  /** How many earlier sessions make up the baseline. */
  window: number;
  /** Alert where the absolute z-score reaches this. */
  threshold: number;
  /** Fewer earlier sessions than this raise no alert. */
  min_baseline: number;
}

/** Everything that processors work by. A `RulesSet` event carries it as JSON text. */
export interface Rules {
  rubric: Rubric;
  drift: DriftGuardrails;
}

/** The rules of a log that was never told others. */
export const DEFAULT_RULES: Rules = {
  rubric: { aggregation: "weighted_mean", weights: {} },
  drift: { window: 50, threshold: 3, min_baseline: 5 },
};

/** JSON text with the keys of every object in order, so that equal values give equal text. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/**
 * SHA-256 that names a set of rules, as 64 hex digits.
 *
 * @example
 * rulesHash(DEFAULT_RULES);
 */
export const rulesHash = (rules: Rules): string =>
  createHash("sha256").update(stableJson(rules)).digest("hex");

/** Finds rules by their hash. */
export type RulesLookup = (hash: string) => Rules;
