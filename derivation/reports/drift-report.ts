import type { Micros, Uuid } from "../../schemas/generated/events.ts";
import {
  type AssessedSession,
  assessedSessions,
  grouped,
  parts,
  type ReportOptions,
  simulatedIn,
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

function groupOf(group: string, sessions: readonly AssessedSession[]): DriftGroup {
  const drifts = sessions.flatMap(({ drift }) => drift ?? []);
  const alerts = drifts.filter(({ alert }) => alert);
  const insufficient = drifts.filter(({ reason }) => reason === "insufficient_baseline").length;
  const reasons: Record<string, number> = {};
  for (const { reason } of alerts) reasons[reason ?? "?"] = (reasons[reason ?? "?"] ?? 0) + 1;
  return {
    group,
    simulated: simulatedIn(sessions),
    assessed: drifts.length - insufficient,
    insufficient,
    alerts: alerts.length,
    declines: alerts.filter(({ direction }) => direction === "decline").length,
    improvements: alerts.filter(({ direction }) => direction === "improvement").length,
    reasons: Object.fromEntries(Object.entries(reasons).sort(([a], [b]) => (a < b ? -1 : 1))),
    trend: parts(drifts).map((part) => part.filter(({ alert }) => alert).length),
  };
}

/**
 * Which sessions raised drift alerts, why, and when.
 *
 * @param source an open Atlas whose consumers have caught up
 * @example
 * const { alerts } = await atlas.drift.report({ by: "learning-key" });
 */
export async function driftReport(
  source: Parameters<typeof assessedSessions>[0],
  options: ReportOptions = {},
): Promise<DriftReport> {
  const { sessions, simulatedLeftOut } = await assessedSessions(source, options);
  const alerts = sessions.flatMap(({ sessionId, drift }) =>
    drift?.alert === true
      ? {
          sessionId,
          learningKey: drift.learning_key,
          completedAt: drift.completed_at,
          reason: drift.reason ?? null,
          direction: drift.direction ?? null,
          message: drift.message ?? null,
        }
      : [],
  );
  return {
    by: options.by ?? null,
    branch: options.branch ?? null,
    sessions: sessions.length,
    simulatedLeftOut,
    groups: grouped(sessions, options.by).map(({ group, sessions: own }) => groupOf(group, own)),
    alerts: alerts.reverse(),
  };
}
