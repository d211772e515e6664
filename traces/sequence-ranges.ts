/** Whole numbers seen so far, as ascending ranges that do not touch. */
export type Ranges = [first: number, last: number][];

/**
 * Adds `first` to `last`; says whether anything of it was new.
 *
 * @example
 * const seen: Ranges = [];
 * addRange(seen, 1); // true
 * addRange(seen, 1); // false
 */
export function addRange(ranges: Ranges, first: number, last = first): boolean {
  const tail = ranges.at(-1);
  if (tail !== undefined && first === tail[1] + 1) {
    tail[1] = last;
    return true;
  }
  if (tail === undefined || first > tail[1]) {
    ranges.push([first, last]);
    return true;
  }
  if (ranges.some((range) => range[0] <= first && last <= range[1])) return false;
  const merged: [number, number] = [first, last];
  const apart = ranges.filter((range) => {
    if (range[1] < merged[0] - 1 || range[0] > merged[1] + 1) return true;
    merged[0] = Math.min(merged[0], range[0]);
    merged[1] = Math.max(merged[1], range[1]);
    return false;
  });
  ranges.length = 0;
  for (const range of [...apart, merged].sort((a, b) => a[0] - b[0])) ranges.push(range);
  return true;
}

/**
 * What is missing between 1 and the greatest number seen.
 *
 * @example
 * gapsOf([[1, 3], [6, 7]]); // [[4, 5]]
 */
export function gapsOf(ranges: Ranges): Ranges {
  const gaps: Ranges = [];
  let next = 1;
  for (const [first, last] of ranges) {
    if (first > next) gaps.push([next, first - 1]);
    next = last + 1;
  }
  return gaps;
}
