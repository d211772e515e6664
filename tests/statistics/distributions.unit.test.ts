import { describe, expect, it } from "vitest";
import { limitOf } from "../../processors/drift-baseline.ts";
import { cusum, rankScore } from "../../statistics/change-point.ts";
import {
  cusumLimit,
  normalQuantile,
  normalTail,
  studentQuantile,
  studentTail,
} from "../../statistics/distributions.ts";

describe("distributions", () => {
  it.each([
    [0, 0.5],
    [1.959963984540054, 0.025],
    [2.9999999, 0.001349898474815],
    [3.0000001, 0.00134989758854],
    [10, 7.61985302416e-24],
    [-1, 0.841344746068543],
  ])("have the normal tail beyond %d", (z, tail) => {
    expect(normalTail(z) / tail).toBeCloseTo(1, 9);
    expect(normalQuantile(tail)).toBeCloseTo(z, 9);
  });

  it.each([
    [0.025, 1, 12.7062047364],
    [0.025, 4, 2.7764451052],
    [0.0005, 9, 4.7809125859],
    [0.3, 4, 0.568649063],
    [0.005, 120, 2.6174211454],
  ])("have the t quantile of tail %d with %d degrees of freedom", (tail, df, t) => {
    expect(studentQuantile(tail, df)).toBeCloseTo(t, 6);
    expect(studentTail(t, df)).toBeCloseTo(tail, 8);
  });

  it("widen the limit of a short baseline, and tend to the normal one", () => {
    const limits = [5, 10, 50, 1000].map((count) => limitOf(0.0027, count));
    expect(limits).toEqual([...limits].sort((a, b) => b - a));
    expect(limits[0]).toBeGreaterThan(7);
    expect(limits[2]).toBeCloseTo(3.22, 1);
    expect(limits[3]).toBeCloseTo(3, 1);
    expect(limitOf(1e-290, 5)).toBeLessThan(Number.POSITIVE_INFINITY);
  });

  it("let a CUSUM go further the rarer a false alarm is to be", () => {
    // Tables of the average run length give 465 for a two-sided test with slack .5 and limit 5.
    expect(cusumLimit(1 / 930, 0.5)).toBeCloseTo(5, 1);
    expect(cusumLimit(1e-6, 0.5)).toBeGreaterThan(cusumLimit(1e-3, 0.5));
    expect(cusumLimit(1, 0.5)).toBe(1);
  });
});

describe("change-point", () => {
  it("scores a rank by the normal distribution, and ties by their middle rank", () => {
    expect(rankScore(0.5, [0.1, 0.9])).toBe(0);
    expect(rankScore(1, [1, 1, 1, 1])).toBe(0);
    expect(rankScore(0, [0.1, 0.9])).toBeCloseTo(-0.967422, 5);
    expect(rankScore(2, [0.1, 0.9])).toBeCloseTo(0.967422, 5);
    expect(rankScore(0.3, [0.1, 0.3, 0.3, 0.9])).toBe(0);
  });

  it("adds up what exceeds the slack, and remembers where the sum set out", () => {
    expect(cusum([0, -2, -2], 0.5)).toEqual({ statistic: -3, onset: 1 });
    expect(cusum([2, 0, 2], 0.5)).toEqual({ statistic: 2.5, onset: 0 });
    expect(cusum([1, -9, 1], 0.5)).toEqual({ statistic: -7, onset: 1 });
    expect(cusum([0, 0], 0.5)).toEqual({ statistic: 0, onset: 2 });
  });
});
