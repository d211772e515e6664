import { type Outcome, perThousand, type Result } from "./measure.ts";

const WIDTH = 760;
const LEFT = 170;
const ROW = 34;
const BAR = 11;
const OURS = "#2a6fb0";
const THEIRS = "#c9822b";

interface Bar {
  length: number;
  label: string;
}

const text = (x: number, y: number, words: string, rest = ""): string =>
  `<text x="${x}" y="${y}" ${rest}>${words}</text>`;

/** One panel: a row of two bars for each result. */
function panel(
  top: number,
  title: string,
  results: readonly Result[],
  barOf: (outcome: Outcome) => Bar,
): string[] {
  const reach = WIDTH - LEFT - 130;
  const bar = (outcome: Outcome, y: number, colour: string): string => {
    const { length, label } = barOf(outcome);
    const width = Math.max(1, Math.min(1, length) * reach);
    return (
      `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${colour}"/>` +
      text(LEFT + width + 6, y + BAR - 1, label)
    );
  };
  const rows = results.flatMap(({ stream, atlas, python }, index) => {
    const y = top + 22 + index * ROW;
    return [
      text(LEFT - 10, y + BAR + 4, stream.name, 'text-anchor="end"'),
      bar(atlas, y, OURS),
      bar(python, y + BAR + 1, THEIRS),
    ];
  });
  return [text(16, top + 8, title, 'font-weight="bold"'), ...rows];
}

function delayBar({ delays, runs }: Outcome): Bar {
  const share = delays.length / runs;
  const middle = delays.toSorted((a, b) => a - b)[delays.length >> 1];
  if (middle === undefined) return { length: 0, label: "never found" };
  const found = share === 1 ? "" : `, found in ${Math.round(100 * share)} %`;
  return { length: middle / 60, label: `${middle}${found}` };
}

/** Both tables as one picture. */
export function plotOf(steady: readonly Result[], changing: readonly Result[]): string {
  const second = 70 + steady.length * ROW + 30;
  const height = second + 30 + changing.length * ROW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12" fill="#222">`,
    "<title>False alarms and delays of two drift rules</title>",
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<rect x="16" y="14" width="12" height="12" fill="${OURS}"/>${text(34, 24, "Atlas")}`,
    `<rect x="90" y="14" width="12" height="12" fill="${THEIRS}"/>${text(108, 24, "Python rule")}`,
    ...panel(56, "False alarms per 1,000 sessions, nothing changing (bars end at 80)", steady, (outcome) => ({
      length: perThousand(outcome) / 80,
      label: perThousand(outcome).toFixed(1),
    })),
    ...panel(second, "Sessions until a change is found, median (within 60)", changing, delayBar),
    "</svg>",
    "",
  ].join("\n");
}
