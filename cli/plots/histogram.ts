import { harmless, style } from "../output.ts";

/** Values that are drawn together. */
export interface Series {
  title: string;
  values: readonly number[];
  look?: "cyan" | "yellow" | "green" | "red";
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/**
 * A bar of block characters, to an eighth of a column; anything above 0 shows.
 *
 * @param share of the width, from 0 to 1
 * @example
 * bar(0.5, 10); // "█████"
 */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const shown = share > 0 ? Math.max(1, eighths) : 0;
  return "█".repeat(shown >> 3) + EIGHTHS[shown & 7]!;
}

/** How many values fall into each of so many equal parts of 0 to 1, the ends included. */
export function binsOf(values: readonly number[], count = 10): number[] {
  const bins = Array.from({ length: count }, () => 0);
  for (const value of values) {
    const at = Math.floor(Math.min(1, Math.max(0, value)) * count + 1e-9);
    bins[Math.min(count - 1, at)]! += 1;
  }
  return bins;
}

/**
 * Lines of a histogram of values from 0 to 1: for each tenth one bar of each series, on one scale.
 *
 * @example
 * for (const line of histogram([{ title: "now", values: [0.2, 0.9] }])) print(line);
 */
export function histogram(series: readonly Series[], width = 40): string[] {
  const bins = series.map(({ values }) => binsOf(values));
  const most = bins.flat().reduce((highest, count) => Math.max(highest, count), 1);
  const titles = series.reduce((longest, { title }) => Math.max(longest, title.length), 0);
  const lines: string[] = [];
  for (let bin = 0; bin < 10; bin += 1) {
    for (const [index, { title, look }] of series.entries()) {
      const count = bins[index]![bin]!;
      const range = index === 0 ? `${(bin / 10).toFixed(1)}–${((bin + 1) / 10).toFixed(1)}` : "       ";
      const name = series.length === 1 ? "" : ` ${harmless(title).padEnd(titles)}`;
      const drawn = bar(count / most, width);
      const text = look === undefined ? drawn : style(look, drawn);
      lines.push(`${range}${name} │${text}${count === 0 ? "" : ` ${count}`}`);
    }
  }
  return lines;
}
