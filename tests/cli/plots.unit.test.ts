import { expect, test } from "vitest";
import { bar, binsOf, histogram } from "../../cli/plots/histogram.ts";
import { trend } from "../../cli/plots/trend.ts";
import { unstyled } from "../../cli/terminal-text.ts";

test("a bar is as long as its share, to an eighth, and what is above 0 shows", () => {
  expect(bar(0.5, 10)).toBe("█████");
  expect(bar(0.5625, 2)).toBe("█▏");
  expect(bar(0.0001, 10)).toBe("▏");
  expect(bar(0, 10)).toBe("");
  expect(bar(7, 3)).toBe("███");
});

test("values fall into tenths, the ends included", () => {
  expect(binsOf([0, 0.05, 0.1, 0.3, 0.7, 0.99, 1])).toEqual([2, 1, 0, 1, 0, 0, 0, 1, 0, 2]);
});

test("a histogram has a line for each tenth of each series, on one scale", () => {
  const one = histogram([{ title: "now", values: [0, 1, 1], look: "cyan" }], 4).map(unstyled);
  expect(one).toHaveLength(10);
  expect([one[0], one[1], one[9]]).toEqual(["0.0–0.1 │██ 1", "0.1–0.2 │", "0.9–1.0 │████ 2"]);
  const two = histogram([
    { title: "now", values: [0] },
    { title: "then", values: [1] },
  ]);
  expect(two).toHaveLength(20);
  expect(two[1]).toBe("        then │");
});

test("a trend has a character for each value, and a dot where there is none", () => {
  expect(trend([0, 0.5, null, 1], 0, 1)).toBe("▁▅·█");
  expect(trend([3, 3], 3, 3)).toBe("▁▁");
  expect(trend([], 0, 1)).toBe("");
});
