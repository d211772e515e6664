import type { DriftBaseline, DriftMetric } from "../schemas/generated/events.ts";
import { mad, mean, median, round12, stddev } from "./numbers.ts";

/**
 * The least spread, in points of a score from 0 to 1, that a baseline is taken to have. Without it a constant
 * baseline has no z-score at all, and its collapse would go unseen. At the default threshold of 3 it takes a
 * change of more than 0.06 to stand out from sessions that were all alike; one grade of a judge who thinks in
 * steps of 0.05 does not.
 */
export const SPREAD_FLOOR = 0.02;

/** Scales a median absolute deviation to the standard deviation of a normal distribution. */
const MAD_SCALE = 1.4826;

/** One metric held against its baseline. */
export interface Comparison {
  metric: DriftMetric;
  baseline: DriftBaseline;
}

/**
 * Holds a value against those of the sessions before it, in their order. Both z-scores are absent below `least`
 * values (at least one); the difference from the mean is there from the first.
 *
 * @example
 * compare("score", 0, [1, 1, 1, 1, 1, 1, 1, 1], 5).metric.z; // -50
 */
export function compare(name: string, value: number, before: readonly number[], least: number): Comparison {
  if (before.length === 0) {
    return {
      metric: { metric: name, value, delta: null, z: null, mad_z: null },
      baseline: { metric: name, sample_count: 0, mean: null, median: null, stddev: null, mad: null },
    };
  }
  const centre = mean(before);
  const spread = stddev(before);
  const middle = median(before);
  const deviation = mad(before);
  const enough = before.length >= least;
  return {
    metric: {
      metric: name,
      value,
      delta: round12(value - centre),
      z: enough ? round12((value - centre) / Math.max(spread, SPREAD_FLOOR)) : null,
      mad_z: enough ? round12((value - middle) / Math.max(MAD_SCALE * deviation, SPREAD_FLOOR)) : null,
    },
    baseline: {
      metric: name,
      sample_count: before.length,
      mean: round12(centre),
      median: round12(middle),
      stddev: round12(spread),
      mad: round12(deviation),
    },
  };
}
