/** A generalised Pareto distribution: of how far values exceed an edge. */
export interface Pareto {
  /** 0 of an exponential tail; the greater, the heavier. */
  shape: number;
  scale: number;
}

/**
 * The generalised Pareto distribution of these excesses, by probability-weighted moments (Hosking and Wallis).
 *
 * @param excesses at least two different values, each above 0, in rising order
 * @example
 * paretoOf([1, 2, 3, 4, 5]); // { shape: -1.06, scale: 6.18 }
 */
export function paretoOf(excesses: readonly number[]): Pareto {
  const count = excesses.length;
  let mean = 0;
  let weighted = 0;
  for (const [place, excess] of excesses.entries()) {
    mean += excess / count;
    weighted += (excess * (1 - (place + 0.65) / count)) / count;
  }
  return { shape: 2 - mean / (mean - 2 * weighted), scale: (2 * mean * weighted) / (mean - 2 * weighted) };
}

/** What a generalised Pareto distribution passes with a probability above 0. */
export const paretoQuantile = ({ shape, scale }: Pareto, tail: number): number =>
  Math.abs(shape) < 1e-9 ? -scale * Math.log(tail) : (scale / shape) * (tail ** -shape - 1);

/** The share of values whose distances say how a tail goes on. */
const TAIL_SHARE = 0.2;
/** A tail is taken for heavy until it proves to be lighter: a shape that counts as much as so many excesses. */
const EXPECTED = { shape: 0.5, excesses: 20 };
/** Fewer excesses say nothing about a tail. */
const LEAST_EXCESSES = 3;

/**
 * How far out a new value has to lie to be passed by chance with a given probability, judged by those that lay
 * furthest out before: what the furthest fifth exceeds the others by is carried on as a generalised Pareto
 * distribution. So heavy tails, rare modes and outliers that are usual push the limit out by themselves.
 *
 * @param distances distances of earlier values to one side, above 0
 * @param count how many values there were to both sides
 * @returns 0 where too few lie to that side
 * @example
 * tailLimit([1, 2, 3, 4, 5], 10, 0.001); // where one in 1,000 values still comes
 */
export function tailLimit(distances: readonly number[], count: number, probability: number): number {
  const sorted = distances.toSorted((a, b) => b - a);
  const far = Math.min(Math.max(Math.floor(count * TAIL_SHARE), LEAST_EXCESSES), sorted.length - 1);
  if (far < LEAST_EXCESSES) return 0;
  const edge = sorted[far]!;
  const excesses = sorted
    .slice(0, far)
    .map((distance) => distance - edge)
    .reverse();
  const fitted = paretoOf(excesses).shape;
  const known = Number.isFinite(fitted) ? Math.min(Math.max(fitted, -0.5), 1) : EXPECTED.shape;
  const { shape: usual, excesses: weight } = EXPECTED;
  const shape = Math.max((far * known + weight * usual) / (far + weight), 0);
  const mean = excesses.reduce((sum, excess) => sum + excess, 0) / far;
  return edge + paretoQuantile({ shape, scale: mean * (1 - shape) }, (count * probability) / far);
}
