import type { Figure, Unit } from "./benchmark.ts";

/** The value below which this share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest and the largest of values, of which there is at least one. */
export function rangeOf(values: readonly number[]): [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  return [sorted[0]!, sorted.at(-1)!];
}

/** Units of what should be little. */
const COSTS: ReadonlySet<Unit> = new Set(["µs", "CPU s", "% of a core"]);

/** The share of its ceiling that a figure reaches: 1 where both are equally good. */
export const shareOf = ({ unit, ours, ceiling }: Figure): number =>
  COSTS.has(unit) ? ceiling / ours : ours / ceiling;

/** Three digits that count, with separators between thousands. */
function plain(value: number): string {
  if (value < 100) return value.toPrecision(3);
  const unit = 10 ** (Math.floor(Math.log10(value)) - 2);
  return (Math.round(value / unit) * unit).toLocaleString("en-US");
}

const HEADINGS = ["benchmark", "what", "ours", "(range)", "ceiling", "unit", "share", "beside"];
const TO_THE_RIGHT = new Set([2, 3, 4, 6]);

/** Figures as an aligned table of plain text. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.benchmark,
    figure.what,
    plain(figure.ours),
    `(${figure.range.map(plain).join("–")})`,
    plain(figure.ceiling),
    figure.unit,
    shareOf(figure).toFixed(2),
    figure.beside,
  ]);
  const all = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) =>
    all.reduce((widest, row) => Math.max(widest, row[column]!.length), 0),
  );
  const lineOf = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        TO_THE_RIGHT.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join("  ")
      .trimEnd();
  return all.map(lineOf).join("\n");
}
