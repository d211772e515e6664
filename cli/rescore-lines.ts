import type { Rescored } from "../derivation/rescore/rescore.ts";
import type { Outcome, SessionChange } from "../derivation/rescore/rescore-report.ts";
import { oneLine, style, table } from "./output.ts";
import { histogram } from "./plots/histogram.ts";

/** How many sessions are listed. */
const SHOWN = 20;

const score = ({ score: value }: Outcome): string => value?.toFixed(2) ?? "none";
const mean = (value: number | null): string => value?.toFixed(3) ?? "–";
const arrow = (before: string, after: string): string => (before === after ? after : `${before} → ${after}`);

function delta({ before, after }: SessionChange): string {
  if (before.score === null || after.score === null) return "";
  const moved = after.score - before.score;
  return `${moved < 0 ? "" : "+"}${moved.toFixed(2)}`;
}

/** What a rescore would change: counts, the greatest moves, and both distributions. */
export function rescoreLines({
  branch,
  rulesHash,
  counts,
  mean: means,
  threshold,
  ...rest
}: Rescored): string[] {
  const { sessions, moved, lost, gained, crossing, alerts, review } = counts;
  const reviews = Object.entries(review).map(([step, count]) => `${count} ${step}`);
  const lines = [
    `${style("bold", branch)} (rules ${rulesHash.slice(0, 12)}…): ${moved} of ${sessions} scores would move, the mean from ${mean(means.before)} to ${mean(means.after)}.`,
    `  threshold ${threshold}: ${crossing.up} sessions would come up to it, ${crossing.down} would fall below`,
    `  drift: ${alerts.before} alerts → ${alerts.after} (${alerts.raised} raised, ${alerts.cleared} cleared)`,
    `  review: ${reviews.length === 0 ? "no change" : reviews.join(", ")}`,
  ];
  if (counts.simulated > 0)
    lines.push(style("yellow", `  ${counts.simulated} of the ${sessions} sessions are simulated`));
  if (lost > 0) lines.push(style("red", `  ${lost} rewarded sessions would have no reward`));
  if (gained > 0) lines.push(`  ${gained} sessions without a reward would have one`);
  if (rest.changes.length > 0) {
    const changes = table(rest.changes.slice(0, SHOWN), [
      { title: "Session", value: ({ sessionId }) => sessionId },
      { title: "Reward", value: ({ before, after }) => arrow(score(before), score(after)) },
      { title: "Δ", value: delta, align: "right" },
      {
        title: "Drift",
        value: ({ before, after }) => arrow(before.alert ? "ALERT" : "ok", after.alert ? "ALERT" : "ok"),
      },
      { title: "Review", value: ({ before, after }) => arrow(before.review, after.review) },
      { title: "", value: ({ simulated }) => (simulated ? "simulated" : "") },
      { title: "Learning key", value: ({ learningKey }) => oneLine(learningKey, 32) },
    ]);
    for (const line of ["", ...changes]) lines.push(line);
    if (rest.changes.length > SHOWN) lines.push(`… and ${rest.changes.length - SHOWN} more: --json has all`);
  }
  if (sessions === 0) return lines;
  const scores = histogram([
    { title: "now", values: rest.scores.before, look: "yellow" },
    { title: "then", values: rest.scores.after, look: "cyan" },
  ]);
  return [...lines, "", ...scores];
}
