import { mean, round12, stddev } from "../../statistics/numbers.ts";
import {
  type AssessedSession,
  assessedSessions,
  grouped,
  parts,
  type ReportOptions,
  simulatedIn,
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

const scoreOf = ({ reward }: AssessedSession): number => reward.score;

function groupOf(group: string, sessions: readonly AssessedSession[]): RewardGroup {
  const scores = sessions.map(scoreOf);
  const sorted = scores.toSorted((a, b) => a - b);
  const uncertainties = sessions.flatMap(({ reward }) => reward.uncertainty ?? []);
  const middle = sorted.length >> 1;
  return {
    group,
    simulated: simulatedIn(sessions),
    sessions: sessions.length,
    mean: round12(mean(scores)),
    stddev: round12(stddev(scores)),
    least: sorted[0]!,
    median: round12(sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2),
    greatest: sorted.at(-1)!,
    uncertainty: uncertainties.length === 0 ? null : round12(mean(uncertainties)),
    escalated: sessions.filter(({ reward }) => reward.escalations > 0).length,
    trend: parts(scores).map((part) => round12(mean(part))),
    scores,
  };
}

/**
 * How the rewards of sessions are distributed, and how they went.
 *
 * @param source an open Atlas whose consumers have caught up
 * @example
 * const { groups } = await atlas.rewards.report({ by: "agent" });
 */
export async function rewardReport(
  source: Parameters<typeof assessedSessions>[0],
  options: ReportOptions = {},
): Promise<RewardReport> {
  const { sessions, simulatedLeftOut } = await assessedSessions(source, options);
  return {
    by: options.by ?? null,
    branch: options.branch ?? null,
    sessions: sessions.length,
    simulatedLeftOut,
    groups: grouped(sessions, options.by).map(({ group, sessions: own }) => groupOf(group, own)),
  };
}
