import type { SessionSummary } from "../projections/session-summaries.ts";
import { oneLine } from "./output.ts";

const signed = (value: number | null): string =>
  value === null ? "n/a" : `${value >= 0 ? "+" : ""}${value.toFixed(3)}`;

function rewardOf({ reward, rewardStddev, samples }: SessionSummary): string {
  if (reward === null) return "reward=n/a";
  return `reward=${reward.toFixed(2)}±${(rewardStddev ?? 0).toFixed(2)} (n=${samples ?? 0})`;
}

/** The lines of one session in a review listing: figures, task, notes, and how many judgements there are. */
export function reviewLines(session: SessionSummary): string[] {
  const { id, sessionId, driftAlert, scoreDelta, uncertaintyDelta, createdAt, driftReason } = session;
  const figures = [
    `${id} ${sessionId.slice(0, 13)}`,
    driftAlert ? "ALERT" : "ok",
    `scoreΔ=${signed(scoreDelta)}`,
    `uncΔ=${signed(uncertaintyDelta)}`,
    rewardOf(session),
    createdAt,
    ...(driftReason === null ? [] : [driftReason]),
    ...(session.simulated ? ["simulated"] : []),
    ...(session.incomplete ? ["incomplete"] : []),
  ];
  return [
    figures.join(" | "),
    `    Task: ${oneLine(session.task, 110)}`,
    `    Notes: ${session.reviewNotes === null ? "–" : oneLine(session.reviewNotes, 110)}`,
    `    Judgements: ${session.judgements}`,
  ];
}
