import type { DriftGuardrails, DriftMetricName } from "../schemas/rules.ts";
import { autocorrelation, valuesForOne } from "../statistics/autocorrelation.ts";
import { cusum } from "../statistics/change-point.ts";
import { cusumLimit } from "../statistics/distributions.ts";
import { mean } from "../statistics/numbers.ts";
import { rateChange } from "../statistics/rate-change.ts";
import { type Place, precedes } from "./drift-cohort.ts";
import { scaled } from "./drift-metrics.ts";
import type { Sample, Seen } from "./drift-sample.ts";

/** What a test for a lasting change says. */
export interface Change {
  /** Below 0 where the metric falls. */
  statistic: number;
  limit: number;
  /** The first session of the new level, where there is one. */
  from?: Place;
}

/** The session that is tested, as the tests for a change see it. */
export interface Tested {
  metric: DriftMetricName;
  place: Place;
  value: number;
  rank: number;
  sample: Sample;
}

/** Among fewer sessions a rank says little: those of a new level soon make up much of them. */
export const RANKED = 60;

/** Scores of so many different values at most are kinds, such as pass and fail, and no measurements. */
const MOST_KINDS = 3;

/** What parts the different values of a score and of those before it, where they are few. Undefined where they are not. */
export function kindsOf(
  metric: DriftMetricName,
  value: number,
  seen: readonly Seen[],
): readonly number[] | undefined {
  if (metric !== "score") return undefined;
  const kinds = new Set([value]);
  for (const each of seen) {
    kinds.add(each.value);
    if (kinds.size > MOST_KINDS) return undefined;
  }
  return [...kinds].sort((a, b) => a - b).slice(1);
}

const isAfter = (found: Place | undefined, { place }: Seen): boolean =>
  found === undefined || precedes(found, place);

/**
 * Whether rank scores add up further than chance takes them. Where each value resembles the one before, as many say
 * less, and count for less.
 */
export function testRanks(
  { rank, place, value, metric, sample }: Tested,
  probability: number,
  { change_point: { slack }, floors }: DriftGuardrails,
): Change {
  const summed = sample.seen.filter((each) => each.rank !== undefined && isAfter(sample.level?.found, each));
  const ranks = [...summed.map((each) => each.rank!), rank];
  const split = cusum(ranks, slack).onset;
  const weight = Math.sqrt(valuesForOne(autocorrelation(ranks, split)));
  const { statistic, onset } = cusum(
    ranks.map((each) => each / weight),
    slack,
  );
  const limit = cusumLimit(probability / 2, slack);
  if (Math.abs(statistic) <= limit) return { statistic, limit };
  const from = summed[onset]?.place ?? place;
  const old = sample.held.filter((each) => precedes(each.place, from));
  const now = [...summed.slice(onset).map(({ x }) => x), scaled(metric, value)];
  const shift = mean(now) - mean((old.length > 0 ? old : sample.held).map(({ x }) => x));
  const matters = Math.abs(shift) >= floors[metric] && shift > 0 === statistic > 0;
  return matters ? { statistic, limit, from } : { statistic, limit };
}

/** The values that part a metric's values so far, this one among them, into thirds. */
export function thirdsOf({ metric, value, sample: { seen } }: Tested): readonly number[] {
  const sorted = Float64Array.from([...seen.map(({ x }) => x), scaled(metric, value)]).sort();
  return [1, 2].map((third) => sorted[Math.floor((third * sorted.length) / 3)]!);
}

/**
 * Whether the shares of a few kinds of values have changed.
 *
 * @param bounds rising: a value is of the kind that is numbered by how many of them it reaches
 */
export function testKinds(
  { value, place, metric, sample: { seen, level } }: Tested,
  bounds: readonly number[],
  probability: number,
  { min_baseline, floors }: DriftGuardrails,
): Change {
  const values = [...seen.map(({ x }) => x), scaled(metric, value)];
  const series = values.map((each) => bounds.filter((bound) => each >= bound).length);
  const known = level === undefined ? 0 : seen.filter((each) => !isAfter(level.found, each)).length;
  const from = Math.max(min_baseline, known, 1);
  const limit = -Math.log(probability);
  const { onset, evidence: plain } = rateChange(series, { from, weight: 1 });
  const [before, after] = [values.slice(0, onset), values.slice(onset)];
  if (before.length === 0 || after.length === 0) return { statistic: 0, limit };
  const weight = valuesForOne(autocorrelation(values, onset));
  const evidence = weight === 1 ? plain : rateChange(series, { from, weight }).evidence;
  const shift = mean(after) - mean(before);
  const statistic = Math.sign(shift) * Math.max(evidence, 0);
  const agrees = Math.sign(scaled(metric, value) - mean(before)) === Math.sign(shift);
  if (evidence <= limit || !agrees || Math.abs(shift) < floors[metric]) return { statistic, limit };
  return { statistic, limit, from: seen[onset]?.place ?? place };
}
