/** So many standard errors of it are put down to chance. */
const ERRORS_OFF = 0.25;
/** Of more, too little would be left of any series. */
const MOST = 0.8;

/**
 * How strongly each value resembles the one before it, from 0 to 0.8, as far as the values prove it. Estimated from
 * differences, so that a slow change of level does not pass for resemblance; part of a standard error is taken off.
 *
 * @param split where a new level may begin: values of both sides of this place are not compared
 * @example
 * autocorrelation([0, 1, 0, 1, 0, 1], 3); // 0
 */
export function autocorrelation(values: readonly number[], split: number): number {
  let next = 0;
  let overNext = 0;
  for (let place = 2; place < values.length; place += 1) {
    if (place >= split && place - 2 < split) continue;
    next += (values[place]! - values[place - 1]!) ** 2;
    overNext += (values[place]! - values[place - 2]!) ** 2;
  }
  if (next === 0) return 0;
  const chance = ERRORS_OFF / Math.sqrt(values.length);
  return Math.min(Math.max(overNext / next - 1 - chance, 0), MOST);
}

/** How many values of a series with this autocorrelation say about a mean what one independent value does. */
export const valuesForOne = (correlation: number): number => (1 + correlation) / (1 - correlation);
