import type { SortOptions } from "../../files/sorted-lines.ts";
import type { Micros, Uuid } from "../../schemas/generated/events.ts";
import {
  type AssessedDrift,
  type AssessedSession,
  assessedSessions,
  Grouped,
  type GroupSums,
  parts,
  type ReportOptions,
} from "./assessed-sessions.ts";
import type { Grouping } from "./groupings.ts";

/** An alert, as a report lists it. */
export interface ReportedAlert {
  sessionId: Uuid;
  learningKey: string;
  completedAt: Micros;
  reason: string | null;
  direction: string | null;
  message: string | null;
}

/** What was assessed of one group. */
export interface DriftGroup {
  group: string;
  /** How many of its sessions are simulated: 0 unless they were asked for. */
  simulated: number;
  /** Sessions that were held against a baseline. */
  assessed: number;
  /** Sessions whose baseline was too short. */
  insufficient: number;
  alerts: number;
  declines: number;
  improvements: number;
  /** Alerts by metric and test, such as `score_z`. */
  reasons: Record<string, number>;
  /** Alerts in up to 24 parts of one size, the oldest first. */
  trend: number[];
}

/** How sessions drifted. */
export interface DriftReport {
  by: Grouping | null;
  branch: string | null;
  sessions: number;
  /** How many sessions were left out for being simulated. */
  simulatedLeftOut: number;
  /** The largest group first; a session with several models or tags counts in each. */
  groups: DriftGroup[];
  /** The newest first. */
  alerts: ReportedAlert[];
}

interface Sums extends GroupSums {
  /** Sessions that drift had its say on, whether there was a baseline or not. */
  seen: number;
  insufficient: number;
  /** Which of these raised an alert, counted from 0. */
  alertsAt: number[];
  declines: number;
  improvements: number;
  reasons: Map<string, number>;
}

function add(sums: Sums, { alert, direction, reason }: AssessedDrift): void {
  if (reason === "insufficient_baseline") sums.insufficient += 1;
  if (alert) {
    sums.alertsAt.push(sums.seen);
    if (direction === "decline") sums.declines += 1;
    if (direction === "improvement") sums.improvements += 1;
    const known = reason ?? "?";
    sums.reasons.set(known, (sums.reasons.get(known) ?? 0) + 1);
  }
  sums.seen += 1;
}

function trendOf({ seen, alertsAt }: Sums): number[] {
  let next = 0;
  return parts(seen).map(([, until]) => {
    const from = next;
    while (next < alertsAt.length && alertsAt[next]! < until) next += 1;
    return next - from;
  });
}

function groupOf(sums: Sums): DriftGroup {
  const { group, simulated, seen, insufficient, alertsAt, declines, improvements, reasons } = sums;
  return {
    group,
    simulated,
    assessed: seen - insufficient,
    insufficient,
    alerts: alertsAt.length,
    declines,
    improvements,
    reasons: Object.fromEntries([...reasons].sort(([a], [b]) => (a < b ? -1 : 1))),
    trend: trendOf(sums),
  };
}

/**
 * Which sessions raised drift alerts, why, and when.
 *
 * @param source an open Atlas whose consumers have caught up
 * @param sorting what of the sessions is kept in memory while they are sorted
 * @example
 * const { alerts } = await atlas.drift.report({ by: "learning-key" });
 */
export async function driftReport(
  source: Parameters<typeof assessedSessions>[0],
  options: ReportOptions = {},
  sorting?: SortOptions,
): Promise<DriftReport> {
  const groups = new Grouped<Sums>(options.by, (group) => ({
    ...group,
    seen: 0,
    insufficient: 0,
    alertsAt: [],
    declines: 0,
    improvements: 0,
    reasons: new Map(),
  }));
  const alerts: ReportedAlert[] = [];
  const take = (session: AssessedSession): void => {
    const { sessionId, drift } = session;
    const all = groups.of(session);
    if (drift === undefined) return;
    for (const sums of all) add(sums, drift);
    const { alert, learning_key: learningKey, completed_at: completedAt, reason, direction, message } = drift;
    if (alert) alerts.push({ sessionId, learningKey, completedAt, reason, direction, message });
  };
  const assessed = await assessedSessions(source, options, take, sorting);
  return {
    by: options.by ?? null,
    branch: options.branch ?? null,
    ...assessed,
    groups: groups.all().map(groupOf),
    alerts: alerts.reverse(),
  };
}
