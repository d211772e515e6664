import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { normalQuantile } from "../../statistics/distributions.ts";
import { wilson } from "../../statistics/intervals.ts";
import { rateChange } from "../../statistics/rate-change.ts";
import { paretoOf, paretoQuantile } from "../../statistics/tails.ts";

interface Fixtures {
  normalQuantile: [tail: number, z: number][];
  wilson: [count: number, tries: number, low: number, high: number][];
  paretoQuantile: [shape: number, scale: number, tail: number, value: number][];
  paretoOf: { excesses: number[]; shape: number; scale: number }[];
  rateChange: { series: number[]; from: number; weight: number; evidence: number; onset: number }[];
}

const FIXTURES = JSON.parse(
  readFileSync(join(import.meta.dirname, "scipy-fixtures.json"), "utf8"),
) as Fixtures;

/** Within 1e-9 of what scipy says, relative to it. */
function expectClose(ours: number, scipy: number): void {
  expect(Math.abs(ours - scipy)).toBeLessThanOrEqual(1e-9 * Math.max(Math.abs(scipy), 1e-12));
}

describe("statistics agree with scipy", () => {
  it.each(FIXTURES.normalQuantile)("about the normal quantile of %d", (tail, z) => {
    expectClose(normalQuantile(tail), z);
  });

  it.each(FIXTURES.wilson)("about Wilson's interval of %d in %d", (count, tries, low, high) => {
    const [ownLow, ownHigh] = wilson(count, tries);
    expectClose(ownLow, low);
    expectClose(ownHigh, high);
  });

  it.each(FIXTURES.paretoQuantile)(
    "about Pareto's quantile: shape %d, scale %d, tail %d",
    (shape, scale, tail, value) => {
      expectClose(paretoQuantile({ shape, scale }, tail), value);
    },
  );

  it.each(FIXTURES.paretoOf)("about the Pareto distribution of $excesses", ({ excesses, shape, scale }) => {
    const ours = paretoOf(excesses);
    expectClose(ours.shape, shape);
    expectClose(ours.scale, scale);
  });

  it.each(FIXTURES.rateChange)("about a change of rates from $from on, weight $weight", (fixture) => {
    const { evidence, onset } = rateChange(fixture.series, fixture);
    expectClose(evidence, fixture.evidence);
    expect(onset).toBe(fixture.onset);
  });
});
