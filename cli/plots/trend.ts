const LEVELS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/**
 * One character for each value, the higher the greater; a dot where there is none.
 *
 * @param from what the lowest character stands for
 * @param to what the highest one stands for
 * @example
 * trend([0.1, null, 0.9], 0, 1); // "▁·█"
 */
export function trend(values: readonly (number | null)[], from: number, to: number): string {
  const step = (to - from) / LEVELS.length;
  return values
    .map((value) => {
      if (value === null) return "·";
      const level = step > 0 ? Math.floor((value - from) / step) : 0;
      return LEVELS[Math.min(LEVELS.length - 1, Math.max(0, level))]!;
    })
    .join("");
}
