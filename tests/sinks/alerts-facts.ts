import type { ConfigInput } from "../../configs/config-schema.ts";
import { loadConfig } from "../../configs/load-config.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { DriftAssessed, Meta, SessionRewarded } from "../../schemas/generated/events.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";

/** What tests change of a fact. */
export interface FactOptions {
  learningKey?: string;
  branch?: string;
  revision?: number;
  /** How long ago it happened. */
  ageHours?: number;
  sequence?: number;
}

function metaOf(processor: string, options: FactOptions): Meta {
  const { branch = null, revision = 0, ageHours = 0, sequence = 1 } = options;
  return {
    event_id: newId(),
    session_id: newId(),
    source: `${processor}/${newId()}`,
    sequence,
    occurred_at: nowMicros() - ageHours * 3_600_000_000,
    time_assumed: false,
    derivation: { processor, version: 1, rules_hash: "0", branch, revision },
  };
}

/** A drift assessment that raised an alert. */
export const driftFact = (
  draft: Partial<DriftAssessed> = {},
  { learningKey = "reviews", ...options }: FactOptions = {},
): DriftAssessed =>
  createEvent("DriftAssessed", metaOf("drift", options), {
    learning_key: learningKey,
    completed_at: nowMicros(),
    alert: true,
    reason: "score",
    direction: "decline",
    message: "0.3 is 9 spreads below 0.9",
    window: 50,
    threshold: 3,
    score: 0.3,
    ...draft,
  }) as DriftAssessed;

/** A session's reward. */
export const rewardFact = (score: number, options: FactOptions = {}): SessionRewarded =>
  createEvent("SessionRewarded", metaOf("session-rewards", options), {
    learning_key: options.learningKey ?? "reviews",
    score,
    statistics: { score_mean: score, score_stddev: 0, sample_count: 1 },
    status: "succeeded",
    agent: "tester",
    started_at: nowMicros(),
    completed_at: nowMicros(),
  }) as SessionRewarded;

/** Destinations as a configuration that was checked has them. */
export const destinationsOf = (alerts: NonNullable<ConfigInput["alerts"]>) =>
  loadConfig({ alerts }, {}).alerts;
