import { type Interval, medianInterval, wilson } from "../../statistics/intervals.ts";
import { median } from "../../statistics/numbers.ts";
import { type Outcome, type Result, RULES, type RuleName } from "./measure.ts";

const NAMES = Object.keys(RULES) as RuleName[];
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map((_, column) => (column < 2 ? "---" : "--:"))), ...rows.map(row)].join("\n");

/** A value scaled up, with its interval. */
export interface Estimate {
  value: number;
  interval: Interval;
}

const estimate = (count: number, tries: number, scale: number): Estimate => {
  const [low, high] = wilson(count, tries);
  return { value: (scale * count) / tries, interval: [scale * low, scale * high] };
};

/** Alerts for each 1,000 sessions among which nothing changed. */
export const perThousand = ({ falseAlarms, sessions }: Outcome): Estimate =>
  estimate(falseAlarms, sessions, 1000);

/** Per cent of the runs in which the change was found. */
export const foundIn = ({ delays }: Outcome): Estimate =>
  estimate(delays.filter(Number.isFinite).length, delays.length, 100);

const words = ({ value, interval }: Estimate, digits: number): string =>
  `${value.toFixed(digits)} [${interval.map((end) => end.toFixed(digits)).join(", ")}]`;

/** False alarms where nothing changes, as Markdown. */
export const steadyTable = (results: readonly Result[]): string =>
  table(
    ["stream", "", ...NAMES],
    results.map(({ stream, outcomes }) => [
      stream.name,
      stream.what,
      ...NAMES.map((name) => words(perThousand(outcomes[name]), 1)),
    ]),
  );

const delay = (sessions: number): string => (Number.isFinite(sessions) ? String(sessions) : "∞");

/** How many changes are found and how soon, as Markdown. */
export const changingTable = (results: readonly Result[]): string =>
  table(
    ["change", "", ...NAMES, "Atlas: sessions until then"],
    results.map(({ stream, outcomes }) => [
      stream.name,
      stream.what,
      ...NAMES.map((name) => words(foundIn(outcomes[name]), 0)),
      `${delay(median(outcomes.Atlas.delays))} [${medianInterval(outcomes.Atlas.delays).map(delay).join(", ")}]`,
    ]),
  );
