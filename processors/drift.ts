import type { DriftMetric, Micros, SessionRewarded, Uuid } from "../schemas/generated/events.ts";
import type { DriftGuardrails } from "../schemas/rules.ts";
import { type Comparison, compare } from "./drift-baseline.ts";
import { rulesHashOf, sessionOf } from "./fact-fields.ts";
import { fold } from "./fold.ts";
import { defineProcessor, type EmissionOf } from "./processor.ts";

/** What is kept of a rewarded session for those after it. */
interface Entry {
  completed_at: Micros;
  session_id: Uuid;
  score: number;
  uncertainty: number | null;
}

/** Sessions of one learning key by completion, then id; twice the widest window that the rules have asked for. */
interface DriftState {
  widest: number;
  sessions: Entry[];
}

/**
 * Holds every rewarded session against the sessions of its learning key that completed before it: one
 * `DriftAssessed` for each `SessionRewarded`, by the rules of that reward.
 *
 * A session is never part of its own baseline. One that arrives late is assessed against those before it and
 * counts for those after it; nothing assessed is rewritten. Two windows of sessions are kept, so that a session
 * overtaken by up to a window of others still finds a whole baseline; one overtaken by more finds a shorter one.
 */
export const drift = defineProcessor({
  name: "drift",
  version: 1,
  inputs: ["atlas.rewards"],
  output: "atlas.drift",
  facts: ["SessionRewarded"],
  key: (fact) => fact.learning_key,
  process: fold<"SessionRewarded", DriftState>((before = { widest: 0, sessions: [] }, fact, rules) => {
    const rulesHash = rulesHashOf(fact);
    const guardrails = rules(rulesHash).drift;
    const entry = entryOf(fact);
    const others = before.sessions.filter(({ session_id }) => session_id !== entry.session_id);
    const place = others.findIndex((other) => precedes(entry, other));
    const earlier = place === -1 ? others : others.slice(0, place);
    const widest = Math.max(before.widest, guardrails.window);
    return {
      state: {
        widest,
        sessions: newest([...earlier, entry, ...others.slice(earlier.length)], 2 * widest),
      },
      emit: [assess(fact, entry, newest(earlier, guardrails.window), guardrails, rulesHash)],
    };
  }),
});

function entryOf(fact: SessionRewarded): Entry {
  return {
    completed_at: fact.completed_at,
    session_id: sessionOf(fact),
    score: fact.score,
    uncertainty: fact.statistics.uncertainty_mean ?? null,
  };
}

const newest = (sessions: readonly Entry[], count: number): Entry[] =>
  sessions.slice(Math.max(sessions.length - count, 0));

const precedes = (a: Entry, b: Entry): boolean =>
  a.completed_at === b.completed_at ? a.session_id < b.session_id : a.completed_at < b.completed_at;

function assess(
  fact: SessionRewarded,
  entry: Entry,
  baseline: readonly Entry[],
  { window, threshold, min_baseline }: DriftGuardrails,
  rulesHash: string,
): EmissionOf<"DriftAssessed"> {
  const least = Math.max(min_baseline, 1);
  const scores = baseline.map(({ score }) => score);
  const comparisons = [compare("score", entry.score, scores, least)];
  if (entry.uncertainty !== null) {
    const uncertainties = baseline.flatMap(({ uncertainty }) => uncertainty ?? []);
    comparisons.push(compare("uncertainty", entry.uncertainty, uncertainties, least));
  }
  const alarming = comparisons.find(({ metric: { z } }) => z && Math.abs(z) >= threshold);
  return {
    type: "DriftAssessed",
    cause: fact,
    rulesHash,
    draft: {
      learning_key: fact.learning_key,
      completed_at: entry.completed_at,
      alert: alarming !== undefined,
      ...(alarming === undefined
        ? { reason: scores.length < least ? "insufficient_baseline" : null }
        : alertOf(alarming, threshold)),
      window,
      threshold,
      metrics: comparisons.map(({ metric }) => metric),
      baseline: comparisons.map((comparison) => comparison.baseline),
    },
  };
}

function alertOf({ metric, baseline }: Comparison, threshold: number) {
  const { metric: name, value, z } = metric;
  return {
    reason: `${name}_z`,
    direction: directionOf(metric),
    message:
      `${name} ${value} against a mean of ${baseline.mean} over the ${baseline.sample_count} sessions before ` +
      `(z ${z}, threshold ${threshold})`,
  };
}

/** A higher score is better; a higher uncertainty is worse. */
const directionOf = ({ metric, z }: DriftMetric): "improvement" | "decline" =>
  (metric === "score") === (z ?? 0) > 0 ? "improvement" : "decline";
