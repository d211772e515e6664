import type { Micros, SessionRewarded, Uuid } from "../schemas/generated/events.ts";
import { type CohortField, type DriftMetricName, stableJson } from "../schemas/rules.ts";
import type { MetricValues } from "./drift-metrics.ts";

/** Where a session stands among others: by completion, then id. */
export type Place = [completed_at: Micros, session_id: Uuid];

/** What is kept of a rewarded session for those after it. */
export interface Entry {
  place: Place;
  values: MetricValues;
  /** Rank scores of its metrics against their baselines, where there was one. */
  ranks: MetricValues;
  alert: boolean;
}

/** Where a metric found its present level, after a change. */
export interface Level {
  /** The first session of the level. */
  from: Place;
  /** The session at which the change was found: sums of rank scores start after it. */
  found: Place;
}

/** Sessions that are compared with one another, in the order of their places. */
export interface Cohort {
  sessions: Entry[];
  levels: Partial<Record<DriftMetricName, Level>>;
}

export const precedes = (a: Place, b: Place): boolean => (a[0] === b[0] ? a[1] < b[1] : a[0] < b[0]);

/** What a session shares with the others of its cohort, as JSON text. */
export function cohortOf(fact: SessionRewarded, by: readonly CohortField[]): string {
  const shared = {
    agent: fact.agent,
    model: [...fact.models],
    configuration: fact.configuration ?? null,
  };
  return stableJson(Object.fromEntries(by.map((field) => [field, shared[field]])));
}

/** The last `count` of a list. */
export const newest = <T>(list: readonly T[], count: number): T[] =>
  list.slice(Math.max(list.length - count, 0));

/** How many cohorts of one learning key are remembered. */
const MOST_COHORTS = 32;

/** Drops the cohorts whose newest sessions are the oldest. */
export function keepCohorts(cohorts: Record<string, Cohort>): Record<string, Cohort> {
  const live = Object.entries(cohorts).filter(([, { sessions }]) => sessions.length > 0);
  const byAge = live.sort(([a, one], [b, other]) => {
    const [first, second] = [one.sessions.at(-1)!.place, other.sessions.at(-1)!.place];
    if (first[0] === second[0] && first[1] === second[1]) return a < b ? -1 : 1;
    return precedes(first, second) ? -1 : 1;
  });
  return Object.fromEntries(newest(byAge, MOST_COHORTS));
}
