import type { Queryable } from "../database/database.ts";
import type { Uuid } from "../schemas/generated/events.ts";
import type { ReviewStatus } from "../schemas/vocabulary.ts";

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

/**
 * Lists sessions without their contents, whatever their review status unless told.
 *
 * @example
 * const waiting = await listSessions(atlas.db, { reviewStatusFilters: ["pending"] });
 */
export async function listSessions(db: Queryable, filters: SummaryFilters = {}): Promise<SessionSummary[]> {
  const { sessionIds, statusFilters, reviewStatusFilters, learningKey, limit = 50, offset = 0 } = filters;
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
      where ($1::uuid[] is null or session_uuid = any($1)) and ($2::text[] is null or status = any($2))
        and ($3::text[] is null or review_status = any($3)) and ($4::text is null or learning_key = $4)
        and ($7::float8 is null or (reward_stats ->> 'score')::float8 >= $7)
        and ($8::float8 is null or (reward_stats ->> 'score')::float8 <= $8)
        and ($9::boolean is null or coalesce((metadata ->> 'drift_alert')::boolean, false) = $9)
        and ($10::boolean is null or simulated = $10)
      order by created_at desc, session_uuid limit $5 offset $6`,
    [
      sessionIds ?? null,
      lower(statusFilters),
      lower(reviewStatusFilters),
      learningKey ?? null,
      limit,
      offset,
      filters.minReward ?? null,
      filters.maxReward ?? null,
      filters.driftAlert ?? null,
      filters.simulated ?? null,
    ],
  );
  return rows.map((row) => ({
    ...row,
    createdAt: row.createdAt.toISOString(),
    completedAt: row.completedAt?.toISOString() ?? null,
  }));
}
