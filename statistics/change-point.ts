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
  let above = 0;
  let same = 0;
  for (const each of before) {
    if (each > value) above += 1;
    else if (each === value) same += 1;
  }
  const score = normalScore(above, same, count);
  const sorted = Float64Array.from(before).sort();
  let different = 0;
  for (let place = 0; place < count; place += 1) if (sorted[place] !== sorted[place - 1]) different += 1;
  return round12(different <= count / 2 ? score / spreadOf(sorted) : score);
}

/** The spread of tied values' rank scores; the values rise. */
function spreadOf(sorted: Float64Array): number {
  const count = sorted.length;
  let squares = 0;
  for (let from = 0, to = 0; from < count; from = to) {
    while (to < count && sorted[to] === sorted[from]) to += 1;
    squares += (to - from) * normalScore(count - to, to - from, count) ** 2;
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
  let [up, upFrom, down, downFrom] = [0, 0, 0, 0];
  for (let place = 0; place < rankScores.length; place += 1) {
    const score = rankScores[place]!;
    up = Math.max(0, up + score - slack);
    if (up === 0) upFrom = place + 1;
    down = Math.max(0, down - score - slack);
    if (down === 0) downFrom = place + 1;
  }
  return down > up
    ? { statistic: round12(-down), onset: downFrom }
    : { statistic: round12(up), onset: upFrom };
}
