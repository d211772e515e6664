import { normalQuantile } from "./distributions.ts";

/** Lower and upper end. */
export type Interval = readonly [low: number, high: number];

const Z_95 = normalQuantile(0.025);

/**
 * Wilson's 95 % interval of a share, from how often something happened in so many tries. It stays within 0 and 1, and
 * is of use where it never happened.
 *
 * @param count how often it happened, from 0 to `tries`
 * @param tries at least 1
 * @example
 * wilson(0, 50); // [0, 0.071]
 */
export function wilson(count: number, tries: number): Interval {
  const square = Z_95 * Z_95;
  const share = count / tries;
  const centre = (share + square / (2 * tries)) / (1 + square / tries);
  const half =
    (Z_95 * Math.sqrt((share * (1 - share)) / tries + square / (4 * tries * tries))) / (1 + square / tries);
  return [count === 0 ? 0 : centre - half, count === tries ? 1 : centre + half];
}

/**
 * A 95 % interval of the median of which these values are a sample, without an assumption about how they are
 * distributed: from one value to another, by their ranks (normal approximation of the binomial distribution).
 *
 * @param values at least one, in any order; `Infinity` stands for what was never reached
 * @example
 * medianInterval([3, 1, 2, 5, 4, 7, 6, 9, 8, 10]); // [2, 10]
 */
export function medianInterval(values: readonly number[]): Interval {
  const sorted = values.toSorted((a, b) => a - b);
  const half = (Z_95 * Math.sqrt(sorted.length)) / 2;
  const low = Math.max(Math.floor(sorted.length / 2 - half), 0);
  const high = Math.min(Math.ceil(sorted.length / 2 + half), sorted.length - 1);
  return [sorted[low]!, sorted[high]!];
}
