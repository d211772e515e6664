import type { Queryable } from "../database/database.ts";
import type { Uuid } from "../schemas/generated/events.ts";
import type { ReviewStatus } from "../schemas/vocabulary.ts";
import { cleanText } from "../traces/clean-text.ts";
import { refuseUnknownStatuses } from "./session-filters.ts";

/** One line about a session, for listings. */
export interface SessionSummary {
  /** The integer that readers without UUIDs use. */
  id: number;
  sessionId: Uuid;
  task: string;
  status: string;
  reviewStatus: ReviewStatus;
  reviewNotes: string | null;
  learningKey: string;
  agent: string;
  lane: string | null;
  /** ISO time. */
  createdAt: string;
  completedAt: string | null;
  /** Null where the session has no reward. */
  reward: number | null;
  rewardStddev: number | null;
  samples: number | null;
  tokens: number | null;
  driftAlert: boolean;
  driftReason: string | null;
  /** Distance to the mean of the baseline. */
  scoreDelta: number | null;
  uncertaintyDelta: number | null;
  judgements: number;
  simulated: boolean;
  incomplete: boolean;
}

/** Which sessions to list, newest first. */
export interface SummaryFilters {
  sessionIds?: readonly Uuid[] | undefined;
  statusFilters?: readonly string[] | undefined;
  reviewStatusFilters?: readonly string[] | undefined;
  learningKey?: string | undefined;
  /** Only sessions with a reward of at least this. */
  minReward?: number | undefined;
  /** Only sessions with a reward of at most this. */
  maxReward?: number | undefined;
  /** True for sessions whose reward drifted, false for all others. */
  driftAlert?: boolean | undefined;
  /** True for simulated sessions, false for all others. */
  simulated?: boolean | undefined;
  /** 50 unless told; null for all. */
  limit?: number | null;
  offset?: number;
}

interface Row extends Omit<SessionSummary, "createdAt" | "completedAt"> {
  createdAt: Date;
  completedAt: Date | null;
}

const lower = (values: readonly string[] | undefined): string[] | null =>
  values?.map((value) => value.toLowerCase()) ?? null;

/** The condition on `sessions s` that {@link parametersOf} fill in. */
const MATCHES = `($1::uuid[] is null or session_uuid = any($1)) and ($2::text[] is null or status = any($2))
        and ($3::text[] is null or review_status = any($3)) and ($4::text is null or learning_key = $4)
        and ($5::float8 is null or (reward_stats ->> 'score')::float8 >= $5)
        and ($6::float8 is null or (reward_stats ->> 'score')::float8 <= $6)
        and ($7::boolean is null or coalesce((metadata ->> 'drift_alert')::boolean, false) = $7)
        and ($8::boolean is null or simulated = $8)`;

function parametersOf(filters: SummaryFilters): unknown[] {
  refuseUnknownStatuses(filters);
  const { sessionIds = null, statusFilters, reviewStatusFilters, learningKey = null } = filters;
  const { minReward = null, maxReward = null, driftAlert = null, simulated = null } = filters;
  const statuses = [lower(statusFilters), lower(reviewStatusFilters)];
  return [sessionIds, ...statuses, cleanText(learningKey), minReward, maxReward, driftAlert, simulated];
}

/**
 * How many sessions {@link listSessions} would list without a limit.
 *
 * @throws AtlasError ATLAS_FILTER_INVALID for a status that there is not
 */
export async function countSessions(db: Queryable, filters: SummaryFilters = {}): Promise<number> {
  const { rows } = await db.query<{ sessions: number }>(
    `select count(*)::int as sessions from sessions s where ${MATCHES}`,
    parametersOf(filters),
  );
  return rows[0]!.sessions;
}

/**
 * Lists sessions without their contents, whatever their review status unless told.
 *
 * @throws AtlasError ATLAS_FILTER_INVALID for a status that there is not
 * @example
 * const waiting = await listSessions(atlas.db, { reviewStatusFilters: ["pending"] });
 */
export async function listSessions(db: Queryable, filters: SummaryFilters = {}): Promise<SessionSummary[]> {
  const { limit = 50, offset = 0 } = filters;
  const { rows } = await db.query<Row>(
    `select id, session_uuid as "sessionId", task, status, review_status as "reviewStatus", review_notes as "reviewNotes",
            learning_key as "learningKey", agent, lane, created_at as "createdAt", completed_at as "completedAt",
            (reward_stats ->> 'score')::float8 as reward, (reward_stats ->> 'score_stddev')::float8 as "rewardStddev",
            (reward_stats ->> 'sample_count')::int as samples, tokens::float8 as tokens,
            coalesce((metadata ->> 'drift_alert')::boolean, false) as "driftAlert",
            metadata -> 'drift' ->> 'reason' as "driftReason",
            (metadata -> 'drift' ->> 'score_delta')::float8 as "scoreDelta",
            (metadata -> 'drift' ->> 'uncertainty_delta')::float8 as "uncertaintyDelta",
            (select count(*)::int from trajectory_events e where e.session_id = s.id and e.type = 'JudgementMade') as judgements,
            simulated, incomplete
       from sessions s
      where ${MATCHES}
      order by created_at desc, session_uuid limit $9 offset $10`,
    [...parametersOf(filters), limit, offset],
  );
  return rows.map((row) => ({
    ...row,
    createdAt: row.createdAt.toISOString(),
    completedAt: row.completedAt?.toISOString() ?? null,
  }));
}
