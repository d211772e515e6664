import type { DriftBaseline } from "../schemas/generated/events.ts";
import type { DriftMetricName } from "../schemas/rules.ts";
import { normalTail, studentQuantile } from "../statistics/distributions.ts";
import { mad, mean, median, round12, stddev } from "../statistics/numbers.ts";
import { METRIC_SCALES, scaled, unscaled } from "./drift-metrics.ts";

/** Scales a median absolute deviation to the standard deviation of a normal distribution. */
const MAD_SCALE = 1.4826;

/** A value held against those of the sessions before it. */
export interface Comparison {
  delta: number;
  z: number;
  mad_z: number;
  /** What z divides by, on the metric's scale. */
  spread: number;
  /** On the metric's scale. */
  centre: number;
  baseline: DriftBaseline;
}

/** The baseline of a metric that no session before has. */
export const emptyBaseline = (metric: DriftMetricName): DriftBaseline => ({
  metric,
  sample_count: 0,
  mean: null,
  median: null,
  stddev: null,
  mad: null,
  scale: METRIC_SCALES[metric].scale,
});

/**
 * Holds a value against at least one before it, in their order. z divides by the greatest of the standard deviation,
 * the root mean square distance of those on the value's side of the mean (scores near 1 have a long tail to one side
 * only), and the floor, without which a constant baseline would have no z at all.
 *
 * @param floor the least spread, on the metric's scale
 * @example
 * compare("score", 0, [1, 1, 1, 1, 1, 1, 1, 1], 0.02).z; // -50
 */
export function compare(
  metric: DriftMetricName,
  value: number,
  before: readonly number[],
  floor: number,
): Comparison {
  const x = scaled(metric, value);
  const values = before.map((each) => scaled(metric, each));
  const centre = mean(values);
  const deviation = stddev(values);
  const side = values.filter((each) => (x < centre ? each < centre : each > centre));
  const sideways =
    side.length === 0 ? 0 : Math.sqrt(mean(side.map((each) => (each - centre) * (each - centre))));
  const spread = Math.max(deviation, sideways, floor);
  const middle = median(values);
  const distance = mad(values);
  const own = (each: number): number => round12(unscaled(metric, each));
  return {
    delta: round12(value - unscaled(metric, centre)),
    z: round12((x - centre) / spread),
    mad_z: round12((x - middle) / Math.max(MAD_SCALE * distance, floor)),
    spread,
    centre,
    baseline: {
      metric,
      sample_count: values.length,
      mean: own(centre),
      median: own(middle),
      stddev: round12(deviation),
      mad: round12(distance),
      spread: round12(spread),
      scale: METRIC_SCALES[metric].scale,
    },
  };
}

/** The share of sessions that raise a false alarm where nothing changes, which a threshold stands for. */
export const falseAlarmsOf = (threshold: number): number => Math.max(2 * normalTail(threshold), 1e-290);

/**
 * The |z| that a value passes by chance with a given probability, to either side. Of a short baseline the mean and
 * the spread are themselves uncertain: Student's t takes the place of the normal distribution, and a new value is
 * further from an estimated mean than from the true one.
 *
 * @example
 * limitOf(0.0027, 50); // 3.22
 */
export const limitOf = (probability: number, count: number): number =>
  count < 2
    ? studentQuantile(probability / 2, 1)
    : studentQuantile(probability / 2, count - 1) * Math.sqrt((count + 1) / (count - 1));
