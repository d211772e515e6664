import type { Figure } from "./benchmark.ts";
import { median, rangeOf } from "./stats.ts";

/** Measures once, and gives a rate or a time. */
export type Measure = () => Promise<number>;

/** Does the work and gives how many items of it there were a second. */
export async function rateOf(items: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (items / (performance.now() - start)) * 1000;
}

/**
 * Measures both sides in turns, so that whatever else the machine does meets both; who goes first alternates, and the
 * first round only warms up.
 *
 * @example
 * const figure = await inTurns(context.rounds, { benchmark, what, unit: "events/s", beside }, { ours, ceiling });
 */
export async function inTurns(
  rounds: number,
  about: Pick<Figure, "benchmark" | "what" | "unit" | "beside">,
  sides: { ours: Measure; ceiling: Measure },
): Promise<Figure> {
  const ours: number[] = [];
  const ceiling: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const order = round % 2 === 0 ? (["ceiling", "ours"] as const) : (["ours", "ceiling"] as const);
    for (const side of order) {
      const value = await sides[side]();
      if (round > 0) (side === "ours" ? ours : ceiling).push(value);
    }
  }
  return {
    ...about,
    ours: median(ours),
    range: rangeOf(ours),
    ceiling: median(ceiling),
  };
}
