import type { SortOptions } from "../../files/sorted-lines.ts";
import { mean, round12, stddev } from "../../statistics/numbers.ts";
import {
  type AssessedSession,
  assessedSessions,
  Grouped,
  type GroupSums,
  parts,
  type ReportOptions,
} from "./assessed-sessions.ts";
import type { Grouping } from "./groupings.ts";

/** The rewards of one group. */
export interface RewardGroup {
  group: string;
  /** How many of its sessions are simulated: 0 unless they were asked for. */
  simulated: number;
  sessions: number;
  mean: number;
  stddev: number;
  least: number;
  median: number;
  greatest: number;
  /** Mean uncertainty of the judgements; null where none says. */
  uncertainty: number | null;
  /** Sessions in which an arbitration settled a judge's samples. */
  escalated: number;
  /** Mean scores of up to 24 parts of one size, the oldest first. */
  trend: number[];
  scores: number[];
}

/** How rewards are distributed. */
export interface RewardReport {
  by: Grouping | null;
  branch: string | null;
  sessions: number;
  /** How many sessions were left out for being simulated. */
  simulatedLeftOut: number;
  /** The largest group first; a session with several models or tags counts in each. */
  groups: RewardGroup[];
}

interface Sums extends GroupSums {
  /** Of all sessions: they are part of the report. */
  scores: number[];
  uncertainties: number[];
  escalated: number;
}

function groupOf({ group, sessions, simulated, scores, uncertainties, escalated }: Sums): RewardGroup {
  const sorted = Float64Array.from(scores).sort();
  const middle = sorted.length >> 1;
  return {
    group,
    simulated,
    sessions,
    mean: round12(mean(scores)),
    stddev: round12(stddev(scores)),
    least: sorted[0]!,
    median: round12(sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2),
    greatest: sorted.at(-1)!,
    uncertainty: uncertainties.length === 0 ? null : round12(mean(uncertainties)),
    escalated,
    trend: parts(scores.length).map(([from, until]) => round12(mean(scores.slice(from, until)))),
    scores,
  };
}

/**
 * How the rewards of sessions are distributed, and how they went.
 *
 * @param source an open Atlas whose consumers have caught up
 * @param sorting what of the sessions is kept in memory while they are sorted
 * @example
 * const { groups } = await atlas.rewards.report({ by: "agent" });
 */
export async function rewardReport(
  source: Parameters<typeof assessedSessions>[0],
  options: ReportOptions = {},
  sorting?: SortOptions,
): Promise<RewardReport> {
  const groups = new Grouped<Sums>(options.by, (group) => ({
    ...group,
    scores: [],
    uncertainties: [],
    escalated: 0,
  }));
  const take = (session: AssessedSession): void => {
    const { score, uncertainty, escalations } = session.reward;
    for (const sums of groups.of(session)) {
      sums.scores.push(score);
      if (uncertainty !== null) sums.uncertainties.push(uncertainty);
      if (escalations > 0) sums.escalated += 1;
    }
  };
  const assessed = await assessedSessions(source, options, take, sorting);
  return {
    by: options.by ?? null,
    branch: options.branch ?? null,
    ...assessed,
    groups: groups.all().map(groupOf),
  };
}
