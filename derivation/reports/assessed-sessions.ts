import type { Database } from "../../database/database.ts";
import type { EventLog } from "../../log/event-log.ts";
import { revisionOf } from "../../processors/fact-fields.ts";
import type {
  AtlasEvent,
  DriftAssessed,
  Micros,
  SessionRewarded,
  Uuid,
} from "../../schemas/generated/events.ts";
import { isUuid } from "../../schemas/identity.ts";
import { BRANCHES, type Topic } from "../../schemas/topics.ts";
import type { Grouping } from "./groupings.ts";

/** What reports need of a session's reward. */
export interface AssessedReward
  extends Pick<
    SessionRewarded,
    "agent" | "completed_at" | "escalations" | "learning_key" | "models" | "score" | "tags"
  > {
  /** Mean uncertainty of the judgements. */
  uncertainty: number | null;
}

/** What reports need of how a session drifted. */
export interface AssessedDrift extends Pick<DriftAssessed, "alert" | "completed_at" | "learning_key"> {
  direction: string | null;
  message: string | null;
  reason: string | null;
}

/** A rewarded session, as reports need it: there may be very many. */
export interface AssessedSession {
  sessionId: Uuid;
  reward: AssessedReward;
  drift: AssessedDrift | undefined;
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

/** Sessions that are looked up with one statement. */
const PAGE = 10_000;

/** Equal texts and lists are kept once, however many sessions have them. */
class Shared {
  readonly #texts = new Map<string, string>();
  readonly #lists = new Map<string, string[]>();

  text(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, text);
    return text;
  }

  list(list: string[]): string[] {
    const key = JSON.stringify(list);
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    this.#lists.set(key, list);
    return list;
  }
}

function rewardOf(event: SessionRewarded, shared: Shared): AssessedReward {
  const { agent, completed_at, escalations, learning_key, models, score, tags, statistics } = event;
  return {
    agent: shared.text(agent),
    completed_at,
    escalations,
    learning_key: shared.text(learning_key),
    models: shared.list(models),
    score,
    tags: shared.list(tags),
    uncertainty: statistics.uncertainty_mean ?? null,
  };
}

function driftOf(event: DriftAssessed, shared: Shared): AssessedDrift {
  const { alert, completed_at, direction, learning_key, message, reason } = event;
  return {
    alert,
    completed_at,
    direction: direction ?? null,
    learning_key: shared.text(learning_key),
    // Nobody reads it but of an alert.
    message: alert ? (message ?? null) : null,
    reason: reason == null ? null : shared.text(reason),
  };
}

interface Standing<Fact> {
  revision: number;
  sequence: number;
  facts: Fact[];
}

/** What stands of each session on a topic, or of a branch, and of each event only what is needed. */
async function standingOn<Fact>(
  log: EventLog,
  { topic, branch }: { topic: Topic; branch: string | null },
  factOf: (event: AtlasEvent) => Fact | undefined,
): Promise<Map<Uuid, Standing<Fact>>> {
  const standing = new Map<Uuid, Standing<Fact>>();
  for await (const batch of log.read([branch === null ? topic : BRANCHES])) {
    for (const { event } of batch) {
      if ((event.meta.derivation?.branch ?? null) !== branch) continue;
      const fact = factOf(event);
      if (fact === undefined) continue;
      const session = event.meta.session_id ?? "";
      const [revision, { sequence }] = [revisionOf(event), event.meta];
      const before = standing.get(session);
      if (before === undefined || before.revision < revision)
        standing.set(session, { revision, sequence, facts: [fact] });
      else if (before.revision === revision && before.sequence < sequence) {
        before.facts.push(fact);
        before.sequence = sequence;
      }
    }
  }
  return standing;
}

/** What the read models say of sessions; those that they do not have are left out. */
async function* known(
  db: Database,
  sessions: readonly Uuid[],
): AsyncGenerator<{ id: Uuid; lane: string | null; simulated: boolean }> {
  for (let from = 0; from < sessions.length; from += PAGE) {
    const { rows } = await db.query<{ id: Uuid; lane: string | null; simulated: boolean }>(
      "select session_uuid::text as id, lane, simulated from sessions where session_uuid = any($1::uuid[])",
      [sessions.slice(from, from + PAGE).filter(isUuid)],
    );
    yield* rows;
  }
}

/**
 * The rewarded sessions of a log that the read models have. Of each only what reports need is in memory, and never its
 * events.
 */
export async function assessedSessions(
  { log, db }: { log: EventLog; db: Database },
  { since, learningKey, branch: named, includeSimulated = false }: ReportOptions,
): Promise<Assessed> {
  const branch = named ?? null;
  const shared = new Shared();
  const drifts = await standingOn(log, { topic: "atlas.drift", branch }, (event) =>
    event.type === "DriftAssessed" ? driftOf(event, shared) : undefined,
  );
  const rewards = await standingOn(log, { topic: "atlas.rewards", branch }, (event) =>
    event.type === "SessionRewarded" ? rewardOf(event, shared) : undefined,
  );
  const sessions: AssessedSession[] = [];
  let simulatedLeftOut = 0;
  for await (const { id: sessionId, lane, simulated } of known(db, [...rewards.keys()])) {
    const drift = drifts.get(sessionId)?.facts.at(-1);
    for (const reward of rewards.get(sessionId)?.facts ?? []) {
      if (since !== undefined && reward.completed_at < since) continue;
      if (learningKey !== undefined && reward.learning_key !== learningKey) continue;
      if (simulated && !includeSimulated) simulatedLeftOut += 1;
      else sessions.push({ sessionId, reward, drift, lane, simulated });
    }
  }
  sessions.sort(
    (a, b) => a.reward.completed_at - b.reward.completed_at || (a.sessionId < b.sessionId ? -1 : 1),
  );
  return { sessions, simulatedLeftOut };
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
