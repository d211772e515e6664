/**
 * Rounds to 12 significant digits, so that the last bits of a sum never show.
 *
 * @example
 * round12(0.1 + 0.2); // 0.3
 */
export const round12 = (value: number): number => Number(value.toPrecision(12));

/**
 * The mean, summed in the given order; NaN of nothing. Sums distances from the first value: the mean of equal
 * values is that value and their spread is 0, to the last bit.
 */
export function mean(values: readonly number[]): number {
  const first = values[0] ?? Number.NaN;
  let sum = 0;
  for (const value of values) sum += value - first;
  return first + sum / values.length;
}

/** The population standard deviation, summed in the given order; NaN of nothing. */
export function stddev(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) * (value - centre))));
}

/** The middle value, or the mean of the two middle ones; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/** The median absolute deviation from the median, unscaled; NaN of nothing. */
export function mad(values: readonly number[]): number {
  const centre = median(values);
  return median(values.map((value) => Math.abs(value - centre)));
}
