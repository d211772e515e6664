import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mad, mean, median, round12, stddev } from "../../statistics/numbers.ts";

describe("numbers", () => {
  it("agrees with figures worked out by hand", () => {
    // Distances from the mean 5: -3 -1 -1 -1 0 0 2 4, squares sum to 32, 32 / 8 = 4.
    const values = [2, 4, 4, 4, 5, 5, 7, 9];
    expect(mean(values)).toBe(5);
    expect(stddev(values)).toBe(2);
    expect(median(values)).toBe(4.5);
    // Distances from 4.5, sorted: .5 .5 .5 .5 .5 2.5 2.5 4.5
    expect(mad(values)).toBe(0.5);
    expect(median([3, 1, 2])).toBe(2);
    expect(mad([1, 1, 2, 2, 4, 6, 9])).toBe(1);
  });

  it("leaves no noise in equal values", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        (value, count) => {
          const values = Array.from({ length: count }, () => value);
          expect(mean(values)).toBe(value);
          expect(stddev(values)).toBe(0);
          expect(mad(values)).toBe(0);
        },
      ),
    );
  });

  it("rounds to twelve significant digits, whatever the size", () => {
    expect(round12(0.1 + 0.2)).toBe(0.3);
    expect(round12(1 / 3)).toBe(0.333333333333);
    expect(round12(-123456.7890123456)).toBe(-123456.789012);
    expect(round12(1e-20 / 3)).toBe(3.33333333333e-21);
    expect(Object.is(round12(-0), 0)).toBe(true);
  });

  it("has no value for nothing", () => {
    for (const of of [mean, stddev, median, mad]) expect(of([])).toBeNaN();
  });
});
