import { normalQuantile } from "./distributions.ts";
import { round12 } from "./numbers.ts";

/** The least spread of tied rank scores that is scaled up to 1. */
const LEAST_SPREAD = 0.7;

const normalScore = (above: number, same: number, count: number): number =>
  normalQuantile((above + same / 2 + 0.5) / (count + 1));

/**
 * A value's rank among those before it, as the standard normal value of that rank; ties share the middle rank.
 * Whatever the distribution, while it stays the same these are about normal and independent of one another: no
 * judge's scale, no skew and no spike can make the sums of {@link cusum} run away. Ties, such as those of passes and
 * fails, make rank scores smaller; they are scaled up again.
 *
 * @example
 * rankScore(0.5, [0.1, 0.9]); // 0
 */
export function rankScore(value: number, before: readonly number[]): number {
  const count = before.length;
  const tied = new Map<number, number>();
  for (const each of before) tied.set(each, (tied.get(each) ?? 0) + 1);
  const above = before.filter((each) => each > value).length;
  const score = normalScore(above, tied.get(value) ?? 0, count);
  return round12(tied.size === count ? score : score / spreadOf(tied, count));
}

/** The spread of tied values' rank scores. */
function spreadOf(tied: ReadonlyMap<number, number>, count: number): number {
  let above = count;
  let squares = 0;
  for (const [, same] of [...tied].sort(([a], [b]) => a - b)) {
    above -= same;
    squares += same * normalScore(above, same, count) ** 2;
  }
  return Math.min(1, Math.max(Math.sqrt(squares / count), LEAST_SPREAD));
}

/** Where a two-sided CUSUM stands: the greater of its two sums, below 0 for the falling one. */
export interface Cusum {
  statistic: number;
  /** Place of the first value since that sum last stood at 0. */
  onset: number;
}

/**
 * Adds up how far rank scores lie above (below) `slack`, starting again whenever the sum falls to 0.
 *
 * @example
 * cusum([0, -2, -2], 0.5); // { statistic: -3, onset: 1 }
 */
export function cusum(rankScores: readonly number[], slack: number): Cusum {
  let up = { sum: 0, onset: 0 };
  let down = { sum: 0, onset: 0 };
  for (const [place, score] of rankScores.entries()) {
    up = next(up, score - slack, place);
    down = next(down, -score - slack, place);
  }
  return down.sum > up.sum
    ? { statistic: round12(-down.sum), onset: down.onset }
    : { statistic: round12(up.sum), onset: up.onset };
}

const next = (before: { sum: number; onset: number }, excess: number, place: number) => {
  const sum = Math.max(0, before.sum + excess);
  if (sum === 0) return { sum, onset: place + 1 };
  return { sum, onset: before.onset };
};
