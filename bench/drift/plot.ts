import type { Result, RuleName } from "./measure.ts";
import { type Estimate, foundIn, perThousand } from "./table.ts";

const WIDTH = 760;
const COLOURS: Record<RuleName, string> = {
  Atlas: "#2a6fb0",
  EWMA: "#3f8f4f",
  "Page–Hinkley": "#8a5bb5",
  "Python rule": "#c9822b",
};
const NAMES = Object.keys(COLOURS) as RuleName[];

const text = (x: number, y: number, words: string, rest = ""): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${rest}>${words}</text>`;
const line = (from: readonly [number, number], to: readonly [number, number], stroke: string): string =>
  `<line x1="${from[0].toFixed(1)}" y1="${from[1].toFixed(1)}" x2="${to[0].toFixed(1)}" y2="${to[1].toFixed(1)}" stroke="${stroke}"/>`;

/** Share of changes found, by their size: one line a rule, with intervals. */
function curves(top: number, sizes: readonly number[], results: readonly Result[]): string[] {
  const [left, right, height] = [60, WIDTH - 220, 240];
  const largest = Math.max(0, sizes.at(-1) ?? 1);
  const xOf = (size: number): number => left + ((right - left) * size) / largest;
  const yOf = (share: number): number => top + 30 + height * (1 - share / 100);
  const axes = [0, 25, 50, 75, 100].flatMap((share) => [
    line([left, yOf(share)], [right, yOf(share)], "#ddd"),
    text(left - 8, yOf(share) + 4, `${share} %`, 'text-anchor="end"'),
  ]);
  const ticks = sizes.map((size) => text(xOf(size), yOf(0) + 18, String(size), 'text-anchor="middle"'));
  const rules = NAMES.flatMap((name, index) => {
    const colour = COLOURS[name];
    const points = results.map(({ outcomes }, place) => ({
      x: xOf(sizes[place]!) + 3 * (index - 1.5),
      ...foundIn(outcomes[name]),
    }));
    const path = points.map(({ x, value }) => `${x.toFixed(1)},${yOf(value).toFixed(1)}`).join(" ");
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
      ...points.flatMap(({ x, value, interval: [low, high] }) => [
        line([x, yOf(low)], [x, yOf(high)], colour),
        `<circle cx="${x.toFixed(1)}" cy="${yOf(value).toFixed(1)}" r="2.5" fill="${colour}"/>`,
      ]),
    ];
  });
  const legend = NAMES.flatMap((name, index) => {
    const y = top + 50 + index * 40;
    const all = { sessions: 0, falseAlarms: 0, delays: [] as number[] };
    for (const { outcomes } of results) {
      all.sessions += outcomes[name].sessions;
      all.falseAlarms += outcomes[name].falseAlarms;
    }
    const { value, interval } = perThousand(all);
    return [
      `<rect x="${right + 30}" y="${y - 10}" width="12" height="12" fill="${COLOURS[name]}"/>`,
      text(right + 48, y, name, 'font-weight="bold"'),
      text(
        right + 48,
        y + 15,
        `${value.toFixed(1)} [${interval.map((end) => end.toFixed(1)).join(", ")}] per 1,000`,
      ),
    ];
  });
  return [
    text(16, top + 8, "Falls of the score that are found within 60 sessions, by size", 'font-weight="bold"'),
    ...axes,
    ...ticks,
    text((left + right) / 2, yOf(0) + 36, "standard deviations", 'text-anchor="middle"'),
    ...rules,
    text(right + 30, top + 30, "False alarms before it:"),
    ...legend,
  ];
}

/** False alarms where nothing changes: a row of bars a stream, with intervals, on a logarithmic scale. */
function bars(top: number, results: readonly Result[]): string[] {
  const [left, reach, row] = [170, WIDTH - 320, 30];
  const shown: readonly RuleName[] = ["Atlas", "Python rule"];
  const lengthOf = (rate: number): number => (reach * Math.log10(1 + rate)) / Math.log10(301);
  const bar = ({ value, interval: [low, high] }: Estimate, y: number, colour: string): string =>
    `<rect x="${left}" y="${y}" width="${Math.max(lengthOf(value), 1).toFixed(1)}" height="10" fill="${colour}" opacity="0.75"/>` +
    line([left + lengthOf(low), y + 5], [left + lengthOf(high), y + 5], "#222") +
    text(
      left + lengthOf(high) + 6,
      y + 9,
      `${value.toFixed(1)} [${low.toFixed(1)}, ${high.toFixed(1)}]`,
      'font-size="10"',
    );
  const rows = results.flatMap(({ stream, outcomes }, index) => {
    const y = top + 22 + index * row;
    return [
      text(left - 10, y + 15, stream.name, 'text-anchor="end"'),
      ...shown.map((name, place) => bar(perThousand(outcomes[name]), y + place * 11, COLOURS[name])),
    ];
  });
  return [
    text(
      16,
      top + 8,
      "False alarms per 1,000 sessions, nothing changing (logarithmic scale)",
      'font-weight="bold"',
    ),
    ...rows,
  ];
}

/** Detection by size of the shift beside the false alarms it costs, and false alarms of every stream. */
export function plotOf(
  steady: readonly Result[],
  { sizes, results }: { sizes: readonly number[]; results: readonly Result[] },
): string {
  const second = 370;
  const height = second + 40 + steady.length * 30;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12" fill="#222">`,
    "<title>What drift rules find, and how often they are wrong</title>",
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...curves(24, sizes, results),
    ...bars(second, steady),
    "</svg>",
    "",
  ].join("\n");
}
