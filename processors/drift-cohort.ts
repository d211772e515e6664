import type { Micros, SessionRewarded, Uuid } from "../schemas/generated/events.ts";
import { type CohortField, DRIFT_METRICS, type DriftMetricName, stableJson } from "../schemas/rules.ts";
import type { MetricValues } from "./drift-metrics.ts";

/** Where a session stands among others: by completion, then id. */
export type Place = [completed_at: Micros, session_id: Uuid];

/** One number for each of `DRIFT_METRICS`, null where there is none: as short in a saved state as it can be. */
export type Row = readonly (number | null)[];

/** What is kept of a rewarded session for those after it. */
export interface Entry {
  place: Place;
  values: Row;
  /** Rank scores of its values against their baselines, to a thousandth. */
  ranks: Row;
  /** A test raised an alert. */
  alert?: true;
  /** It was held against the wider cohort. */
  wide?: true;
}

/** Where a metric found its present level, after a change. */
export interface Level {
  /** The first session of the level. */
  from: Place;
  /** The session at which the change was found: tests for another one start after it. */
  found: Place;
}

/** What was found in a cohort. */
export interface Marks {
  levels: Partial<Record<DriftMetricName, Level>>;
  /** Alerts, such as `score decline`, that are not raised again for so many more sessions. */
  quiet: Record<string, { left: number; raised: Place }>;
}

/** Sessions that are compared with one another, in the order of their places. */
export interface Cohort extends Marks {
  sessions: Entry[];
  /** Name of the wider cohort, whose sessions stand in while this one has few. */
  wider: string;
}

export const precedes = (a: Place, b: Place): boolean => (a[0] === b[0] ? a[1] < b[1] : a[0] < b[0]);

/** What is known of each metric, as a row. */
export const rowOf = (values: MetricValues): Row => DRIFT_METRICS.map((metric) => values[metric] ?? null);

const COLUMN = Object.fromEntries(DRIFT_METRICS.map((metric, column) => [metric, column])) as Record<
  DriftMetricName,
  number
>;

/** A metric's number in a row. */
export const inRow = (row: Row, metric: DriftMetricName): number | undefined =>
  row[COLUMN[metric]] ?? undefined;

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

/** How many sessions of a list, which is in order, precede a place. */
export function countBefore(sessions: readonly Entry[], place: Place): number {
  let count = sessions.length;
  while (count > 0 && !precedes(sessions[count - 1]!.place, place)) count -= 1;
  return count;
}

/** The newest sessions of all cohorts that have the same wider cohort, in order. */
export function widerSessions(
  cohorts: Record<string, Cohort>,
  wider: string,
  { before, count }: { before: Place; count: number },
): Entry[] {
  const sessions = Object.values(cohorts)
    .filter((cohort) => cohort.wider === wider)
    .flatMap((cohort) => newest(cohort.sessions.slice(0, countBefore(cohort.sessions, before)), count));
  return newest(
    sessions.sort((a, b) => (precedes(a.place, b.place) ? -1 : 1)),
    count,
  );
}

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
