import type { Database } from "../../database/database.ts";
import { databaseTime, decisionTimes } from "../../projections/decision-times.ts";
import type { SessionSummary } from "../../projections/session-summaries.ts";
import type { Micros, Uuid } from "../../schemas/generated/events.ts";
import { nowMicros } from "../../schemas/identity.ts";

/** How far the clock of this computer differs from what a decision is about. */
export interface ClockOff {
  /** Below 0 where this computer's clock is behind. */
  byMs: number;
  /** The database's clock, the end of the session, or the time of a decision on it. */
  than: "database" | "session" | "decision";
}

/** Clocks of a network differ by less. */
const TOLERATED_MS = 60_000;

/** The times that decisions on some sessions get, and what is odd about them. */
export interface DecisionClock {
  /** Not before any decision on the session that is known here: of several the latest stands. */
  timeOf(session: Uuid): Micros;
  offOf(session: SessionSummary): ClockOff | null;
}

const off = (byMicros: number, than: ClockOff["than"]): ClockOff | undefined => {
  const byMs = Math.round(byMicros / 1000);
  return Math.abs(byMs) > TOLERATED_MS ? { byMs, than } : undefined;
};

/** Looks at the clocks before a decision on these sessions. */
export async function decisionClock(db: Database, sessionIds: readonly Uuid[]): Promise<DecisionClock> {
  const [latest, there] = [await decisionTimes(db, sessionIds), await databaseTime(db)];
  const now = nowMicros();
  return {
    timeOf: (session) => Math.max(now, (latest.get(session) ?? 0) + 1),
    offOf({ sessionId, completedAt, createdAt }) {
      const ended = Date.parse(completedAt ?? createdAt) * 1000;
      return (
        off(Math.min(now - (latest.get(sessionId) ?? 0), 0), "decision") ??
        off(now - there, "database") ??
        off(Math.min(now - ended, 0), "session") ??
        null
      );
    },
  };
}
