import { describe, expect, it } from "vitest";
import { randomOf } from "../../bench/drift/random.ts";
import { autocorrelation, valuesForOne } from "../../statistics/autocorrelation.ts";
import { medianInterval, wilson } from "../../statistics/intervals.ts";
import { rateChange } from "../../statistics/rate-change.ts";
import { tailLimit } from "../../statistics/tails.ts";

const random = randomOf(4711);
const list = (count: number, next: () => number): number[] => Array.from({ length: count }, next);

describe("autocorrelation", () => {
  it("is that of the values, about", () => {
    let last = 0;
    const values = list(4000, () => {
      last = 0.5 * last + random.normal(0, 1);
      return last;
    });
    expect(autocorrelation(values, 0)).toBeCloseTo(0.5, 1);
    expect(
      autocorrelation(
        list(4000, () => random.normal(0, 1)),
        0,
      ),
    ).toBeLessThan(0.05);
  });

  it("is 0 of values that alternate, are constant, or step from one level to another", () => {
    expect(
      autocorrelation(
        list(50, () => 1),
        0,
      ),
    ).toBe(0);
    expect(autocorrelation([0, 1, 0, 1, 0, 1, 0, 1], 0)).toBe(0);
    expect(autocorrelation([...list(20, () => 0), ...list(20, () => 1)], 20)).toBe(0);
    expect(autocorrelation([...list(20, () => 0), ...list(20, () => 1)], 0)).toBeGreaterThan(0.5);
    expect(autocorrelation([], 0)).toBe(0);
  });

  it("says how many values count for one", () => {
    expect(valuesForOne(0)).toBe(1);
    expect(valuesForOne(0.5)).toBe(3);
  });
});

describe("a change of rates", () => {
  it("dates the change, and says nothing of what never changed", () => {
    const changed = [...list(30, () => 1), ...list(10, () => 0)];
    expect(rateChange(changed, { from: 1, weight: 1 })).toMatchObject({ onset: 30 });
    expect(
      rateChange(
        list(30, () => 0),
        { from: 1, weight: 1 },
      ).evidence,
    ).toBeLessThan(4);
    expect(rateChange([0, 1], { from: 5, weight: 1 }).evidence).toBe(Number.NEGATIVE_INFINITY);
  });

  it("passes 1 / p in a share p of the places at most, where nothing changes", () => {
    let passed = 0;
    const runs = 200;
    for (let run = 0; run < runs; run += 1) {
      const rate = random.uniform();
      const series = list(60, () => (random.uniform() < rate ? 1 : 0));
      for (let end = 10; end <= 60; end += 1)
        if (rateChange(series.slice(0, end), { from: 1, weight: 1 }).evidence > Math.log(1000)) {
          passed += 1;
          break;
        }
    }
    expect(passed / runs).toBeLessThan(0.06 + 3 * Math.sqrt((0.06 * 0.94) / runs));
  });
});

describe("the limit of a tail", () => {
  const halfOf = (next: () => number): number[] => list(200, next).filter((value) => value > 0);

  it("lies further out the heavier the tail and the rarer the value", () => {
    const normal = halfOf(() => random.normal(0, 1));
    const heavy = halfOf(() => random.normal(0, 1) / Math.abs(random.normal(0, 1)));
    expect(tailLimit(heavy, 200, 1e-4)).toBeGreaterThan(3 * tailLimit(normal, 200, 1e-4));
    expect(tailLimit(normal, 200, 1e-5)).toBeGreaterThan(tailLimit(normal, 200, 1e-3));
  });

  it("is passed by about as many as it says", () => {
    let passed = 0;
    const runs = 4000;
    for (let run = 0; run < runs; run += 1) {
      const distances = list(200, () => Math.abs(random.normal(0, 1)) / random.uniform() ** 0.3).filter(
        () => random.uniform() < 0.5,
      );
      const next = Math.abs(random.normal(0, 1)) / random.uniform() ** 0.3;
      if (next > tailLimit(distances, 200, 0.01)) passed += 0.5;
    }
    expect(passed / runs).toBeLessThan(0.015);
    expect(passed / runs).toBeGreaterThan(0.002);
  });

  it("is 0 where too few lie to that side", () => {
    expect(tailLimit([1, 2, 3], 50, 0.01)).toBe(0);
    expect(Number.isFinite(tailLimit([1, 1, 1, 1, 1], 50, 0.01))).toBe(true);
  });
});

describe("intervals", () => {
  it("stay within 0 and 1 and hold the share", () => {
    expect(wilson(0, 10)[0]).toBe(0);
    expect(wilson(10, 10)[1]).toBe(1);
    const [low, high] = wilson(4, 10);
    expect(low).toBeLessThan(0.4);
    expect(high).toBeGreaterThan(0.4);
  });

  it("of a median go from value to value, infinite ones included", () => {
    expect(medianInterval([7])).toEqual([7, 7]);
    const never = Number.POSITIVE_INFINITY;
    expect(medianInterval([1, 2, 3, never, never])[1]).toBe(never);
    expect(medianInterval(list(100, () => 3))).toEqual([3, 3]);
  });
});
