import { harmless } from "../output.ts";
import { bar } from "./histogram.ts";

/** A number with what it counts. */
export interface Counted {
  title: string;
  count: number;
}

/**
 * Lines with a bar for each number, on one scale.
 *
 * @example
 * for (const line of bars([{ title: "search", count: 3 }])) print(line);
 */
export function bars(counted: readonly Counted[], width = 40): string[] {
  const rows = counted.map(({ title, count }) => ({ title: harmless(title), count }));
  const titles = rows.reduce((longest, { title }) => Math.max(longest, title.length), 0);
  const most = rows.reduce((highest, { count }) => Math.max(highest, count), 1);
  return rows.map(({ title, count }) => {
    const drawn = bar(count / most, width);
    return `${title.padStart(titles)} │${drawn}${count === 0 ? "" : ` ${count}`}`;
  });
}
