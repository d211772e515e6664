import { type Outcome, perThousand, type Result } from "./measure.ts";

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!;

/** Half of the runs, and nine of ten, found it within so many sessions; how many found it. */
function found({ delays, runs }: Outcome): string {
  if (delays.length === 0) return "never";
  const share = delays.length === runs ? "" : ` in ${Math.round((100 * delays.length) / runs)} %`;
  return `${percentile(delays, 0.5)} (${percentile(delays, 0.9)})${share}`;
}

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** False alarms where nothing changes, as Markdown. */
export const steadyTable = (results: readonly Result[]): string =>
  [
    row(["scores", "", "Atlas", "Python rule"]),
    row(["---", "---", "--:", "--:"]),
    ...results.map(({ stream, atlas, python }) =>
      row([stream.name, stream.what, perThousand(atlas).toFixed(1), perThousand(python).toFixed(1)]),
    ),
  ].join("\n");

/** How soon changes are found, as Markdown. */
export const changingTable = (results: readonly Result[]): string =>
  [
    row(["change", "", "Atlas", "Python rule"]),
    row(["---", "---", "--:", "--:"]),
    ...results.map(({ stream, atlas, python }) =>
      row([stream.name, stream.what, found(atlas), found(python)]),
    ),
  ].join("\n");
