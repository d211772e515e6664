import type { Database } from "../../database/database.ts";
import { inOrder, SortedLines, type SortOptions } from "../../files/sorted-lines.ts";
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
import { BRANCHES } from "../../schemas/topics.ts";
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

/** How many sessions a report is about, and what it leaves out. */
export interface Assessed {
  sessions: number;
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
const PAGE = 1000;

function rewardOf(event: SessionRewarded): AssessedReward {
  const { agent, completed_at, escalations, learning_key, models, score, tags, statistics } = event;
  return {
    agent,
    completed_at,
    escalations,
    learning_key,
    models,
    score,
    tags,
    uncertainty: statistics.uncertainty_mean ?? null,
  };
}

function driftOf(event: DriftAssessed): AssessedDrift {
  const { alert, completed_at, direction, learning_key, message, reason } = event;
  return {
    alert,
    completed_at,
    direction: direction ?? null,
    learning_key,
    // Nobody reads it but of an alert.
    message: alert ? (message ?? null) : null,
    reason: reason ?? null,
  };
}

/** What an event says, as far as reports need it. */
type Fact = { reward: AssessedReward } | { drift: AssessedDrift };

interface Said {
  revision: number;
  sequence: number;
  fact: Fact;
}

/** What stands of all that was said of one kind: the highest revision, each sequence once. */
function standing(said: readonly Said[]): Fact[] {
  let [revision, sequence] = [Number.NEGATIVE_INFINITY, 0];
  let facts: Fact[] = [];
  for (const each of said) {
    const isHigher = each.revision > revision;
    if (!isHigher && !(each.revision === revision && each.sequence > sequence)) continue;
    if (isHigher) facts = [];
    facts.push(each.fact);
    ({ revision, sequence } = each);
  }
  return facts;
}

interface Standing {
  sessionId: Uuid;
  rewards: AssessedReward[];
  drift: AssessedDrift | undefined;
}

function standingOf(sessionId: Uuid, said: readonly Said[]): Standing {
  const rewards = standing(said.filter(({ fact }) => "reward" in fact));
  const drifts = standing(said.filter(({ fact }) => "drift" in fact));
  return {
    sessionId,
    rewards: rewards.flatMap((fact) => ("reward" in fact ? fact.reward : [])),
    drift: drifts.flatMap((fact) => ("drift" in fact ? fact.drift : [])).at(-1),
  };
}

function factOf(event: AtlasEvent): Fact | undefined {
  if (event.type === "SessionRewarded") return { reward: rewardOf(event) };
  if (event.type === "DriftAssessed") return { drift: driftOf(event) };
  return undefined;
}

/** Brings what a log says together by session. */
async function spread(log: EventLog, branch: string | null, into: SortedLines): Promise<void> {
  let read = 0;
  for await (const batch of log.read(branch === null ? ["atlas.drift", "atlas.rewards"] : [BRANCHES])) {
    for (const { event } of batch) {
      const { session_id: session, sequence, derivation } = event.meta;
      const fact = factOf(event);
      if (fact === undefined || session == null || !isUuid(session)) continue;
      if ((derivation?.branch ?? null) !== branch) continue;
      const said: Said = { revision: revisionOf(event), sequence, fact };
      await into.add(`${session}\t${inOrder(read)}\t${JSON.stringify(said)}`);
      read += 1;
    }
  }
}

/** What stands, one session after the other. */
async function* bySession(lines: SortedLines): AsyncGenerator<Standing> {
  let of: Uuid | undefined;
  let said: Said[] = [];
  for await (const line of lines.lines()) {
    const [session = "", , json = ""] = line.split("\t");
    if (of !== undefined && of !== session) {
      yield standingOf(of, said);
      said = [];
    }
    of = session;
    said.push(JSON.parse(json) as Said);
  }
  if (of !== undefined) yield standingOf(of, said);
}

/** The same with what the read models say; sessions that they do not have are left out. */
async function* known(db: Database, sessions: AsyncIterable<Standing>): AsyncGenerator<AssessedSession> {
  const look = async function* (page: readonly Standing[]): AsyncGenerator<AssessedSession> {
    const { rows } = await db.query<{ id: Uuid; lane: string | null; simulated: boolean }>(
      "select session_uuid::text as id, lane, simulated from sessions where session_uuid = any($1::uuid[])",
      [page.map(({ sessionId }) => sessionId)],
    );
    const found = new Map(rows.map((row) => [row.id, row]));
    for (const { sessionId, rewards, drift } of page) {
      const row = found.get(sessionId);
      if (row === undefined) continue;
      const { lane, simulated } = row;
      for (const reward of rewards) yield { sessionId, reward, drift, lane, simulated };
    }
  };
  let page: Standing[] = [];
  for await (const session of sessions) {
    if (session.rewards.length === 0) continue;
    page.push(session);
    if (page.length < PAGE) continue;
    yield* look(page);
    page = [];
  }
  if (page.length > 0) yield* look(page);
}

/**
 * Gives the rewarded sessions of a log that the read models have, the first completed first. They are sorted on disk, so
 * that memory does not grow with their number.
 *
 * @param take is called with each
 */
export async function assessedSessions(
  { log, db }: { log: EventLog; db: Database },
  { since, learningKey, branch, includeSimulated = false }: ReportOptions,
  take: (session: AssessedSession) => void,
  sorting: SortOptions = {},
): Promise<Assessed> {
  const [said, completed] = [new SortedLines(sorting), new SortedLines(sorting)];
  const assessed: Assessed = { sessions: 0, simulatedLeftOut: 0 };
  try {
    await spread(log, branch ?? null, said);
    for await (const session of known(db, bySession(said))) {
      const { reward, sessionId, simulated } = session;
      if (since !== undefined && reward.completed_at < since) continue;
      if (learningKey !== undefined && reward.learning_key !== learningKey) continue;
      if (simulated && !includeSimulated) {
        assessed.simulatedLeftOut += 1;
        continue;
      }
      assessed.sessions += 1;
      const place = `${inOrder(reward.completed_at)}\t${sessionId}\t${inOrder(assessed.sessions)}`;
      await completed.add(`${place}\t${JSON.stringify(session)}`);
    }
    for await (const line of completed.lines()) take(JSON.parse(line.split("\t").at(-1)!) as AssessedSession);
    return assessed;
  } finally {
    await said.close();
    await completed.close();
  }
}

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

/** What is summed up of every group. */
export interface GroupSums {
  group: string;
  sessions: number;
  simulated: number;
}

/** Sums sessions up by group. */
export class Grouped<Sums extends GroupSums> {
  readonly #groups = new Map<string, Sums>();
  readonly #by: Grouping | undefined;
  readonly #begin: (group: GroupSums) => Sums;

  constructor(by: Grouping | undefined, begin: (group: GroupSums) => Sums) {
    this.#by = by;
    this.#begin = begin;
  }

  /** Counts a session, and gives the sums of the groups that it belongs to. */
  of(session: AssessedSession): Sums[] {
    return groupsOf(session, this.#by).map((group) => {
      const sums = this.#groups.get(group) ?? this.#begin({ group, sessions: 0, simulated: 0 });
      this.#groups.set(group, sums);
      sums.sessions += 1;
      if (session.simulated) sums.simulated += 1;
      return sums;
    });
  }

  /** The largest group first. */
  all(): Sums[] {
    return [...this.#groups.values()].sort((a, b) => b.sessions - a.sessions || (a.group < b.group ? -1 : 1));
  }
}

/** Cuts so many sessions into at most so many parts of one size, in their order, for a trend: each from and until. */
export function parts(sessions: number, most = 24): [from: number, until: number][] {
  const count = Math.min(most, sessions);
  return Array.from({ length: count }, (_, at) => [
    Math.floor((at * sessions) / count),
    Math.floor(((at + 1) * sessions) / count),
  ]);
}
