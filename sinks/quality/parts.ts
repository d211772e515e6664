import type { Check } from "./check.ts";

/**
 * Every part has some records.
 *
 * @param names of all parts, those without a file among them; null for the whole
 */
export function parts(names: readonly (string | null)[], least: number): Check {
  const counts = new Map<string | null, number>(names.map((name) => [name, 0]));
  return {
    read({ part }) {
      counts.set(part, (counts.get(part) ?? 0) + 1);
    },
    end() {
      const all = [...counts].map(([name, records]) => ({ name, records }));
      if (all.length === 0) return { value: 0 };
      const few = all.filter(({ records }) => records < least);
      const value = all.reduce((fewest, { records }) => Math.min(fewest, records), Number.POSITIVE_INFINITY);
      const note = few.map(({ name, records }) => `${name ?? "the dataset"} has ${records}`).join(", ");
      return { value, ...(note !== "" && { note }) };
    },
  };
}
