import fc from "fast-check";
import { expect, it } from "vitest";
import { addRange, gapsOf, type Ranges } from "../../traces/sequence-ranges.ts";

it("knows what it has seen and what lies between", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 })), (numbers) => {
      const ranges: Ranges = [];
      const seen = new Set<number>();
      for (const number of numbers) {
        expect(addRange(ranges, number)).toBe(!seen.has(number));
        seen.add(number);
      }
      const missing: number[] = [];
      for (const [first, last] of gapsOf(ranges)) for (let n = first; n <= last; n += 1) missing.push(n);
      const all = Array.from(
        { length: [...seen].reduce((most, number) => Math.max(most, number), 0) },
        (_, index) => index + 1,
      );
      expect(missing).toEqual(all.filter((number) => !seen.has(number)));
      expect(ranges).toEqual([...ranges].sort((a, b) => a[0] - b[0]));
    }),
  );
});

it("takes ranges", () => {
  const ranges: Ranges = [];
  addRange(ranges, 1);
  addRange(ranges, 5, 8);
  expect(gapsOf(ranges)).toEqual([[2, 4]]);
  expect(addRange(ranges, 6, 7)).toBe(false);
  addRange(ranges, 2, 4);
  expect(ranges).toEqual([[1, 8]]);
});
