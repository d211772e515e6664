import type { Database } from "../../database/database.ts";
import type { EventLog } from "../../log/event-log.ts";
import type { DriftAssessed, Micros, SessionRewarded, Uuid } from "../../schemas/generated/events.ts";
import { readDerived } from "../compare-derived.ts";
import type { Grouping } from "./groupings.ts";

/** A rewarded session, as reports need it. */
export interface AssessedSession {
  sessionId: Uuid;
  reward: SessionRewarded;
  drift: DriftAssessed | undefined;
  lane: string | null;
  simulated: boolean;
}

/** What a report is about, and what it leaves out. */
export interface Assessed {
  /** The first completed first. */
  sessions: AssessedSession[];
  /** How many sessions were left out for being simulated. */
  simulatedLeftOut: number;
}

/** Which sessions a report is about. */
export interface ReportOptions {
  by?: Grouping | undefined;
  /** Only sessions that completed at this time or later. */
  since?: Micros | undefined;
  learningKey?: string | undefined;
  /** Results of a branch in place of those that hold. */
  branch?: string | undefined;
  /** Simulated sessions, too; they are left out unless told. */
  includeSimulated?: boolean | undefined;
}

/** The rewarded sessions of a log that the read models have. */
export async function assessedSessions(
  { log, db }: { log: EventLog; db: Database },
  { since, learningKey, branch, includeSimulated = false }: ReportOptions,
): Promise<Assessed> {
  const derived = await readDerived(log, branch ?? null);
  const drifts = new Map(
    (derived.get("atlas.drift") as DriftAssessed[]).map((drift) => [drift.meta.session_id ?? "", drift]),
  );
  const { rows } = await db.query<{ id: Uuid; lane: string | null; simulated: boolean }>(
    "select session_uuid::text as id, lane, simulated from sessions",
  );
  const known = new Map(rows.map((row) => [row.id, row]));
  const assessed = (derived.get("atlas.rewards") as SessionRewarded[])
    .filter((reward) => known.has(reward.meta.session_id ?? ""))
    .filter((reward) => since === undefined || reward.completed_at >= since)
    .filter((reward) => learningKey === undefined || reward.learning_key === learningKey)
    .map((reward) => {
      const sessionId = reward.meta.session_id ?? "";
      const { lane, simulated } = known.get(sessionId)!;
      return { sessionId, reward, drift: drifts.get(sessionId), lane, simulated };
    })
    .sort((a, b) => a.reward.completed_at - b.reward.completed_at || (a.sessionId < b.sessionId ? -1 : 1));
  const sessions = assessed.filter(({ simulated }) => includeSimulated || !simulated);
  return { sessions, simulatedLeftOut: assessed.length - sessions.length };
}

/** How many of these are simulated. */
export const simulatedIn = (sessions: readonly AssessedSession[]): number =>
  sessions.filter(({ simulated }) => simulated).length;

/** The groups that a session belongs to; it has several models or tags at times. */
export function groupsOf({ reward, lane }: AssessedSession, by: Grouping | undefined): string[] {
  const none = (list: readonly string[]): string[] => (list.length === 0 ? ["(none)"] : [...list]);
  switch (by) {
    case undefined:
      return ["all sessions"];
    case "agent":
      return [reward.agent];
    case "model":
      return none(reward.models);
    case "tag":
      return none(reward.tags);
    case "lane":
      return [lane ?? "(none)"];
    case "learning-key":
      return [reward.learning_key];
  }
}

/** Sessions by group, the largest group first. */
export function grouped(
  sessions: readonly AssessedSession[],
  by: Grouping | undefined,
): { group: string; sessions: AssessedSession[] }[] {
  const groups = new Map<string, AssessedSession[]>();
  for (const session of sessions) {
    for (const group of groupsOf(session, by)) {
      const own = groups.get(group);
      if (own === undefined) groups.set(group, [session]);
      else own.push(session);
    }
  }
  return [...groups]
    .map(([group, own]) => ({ group, sessions: own }))
    .sort((a, b) => b.sessions.length - a.sessions.length || (a.group < b.group ? -1 : 1));
}

/** Cuts sessions into at most so many parts of one size, in their order, for a trend. */
export function parts<T>(sessions: readonly T[], most = 24): T[][] {
  const count = Math.min(most, sessions.length);
  return Array.from({ length: count }, (_, at) =>
    sessions.slice(
      Math.floor((at * sessions.length) / count),
      Math.floor(((at + 1) * sessions.length) / count),
    ),
  );
}
