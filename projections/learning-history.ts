import type { Queryable } from "../database/database.ts";

/** A rewarded session, as it counts for later ones of its learning key. */
export interface RewardedSession {
  /** 0 to 1. */
  score: number;
  /** 0 to 1. */
  uncertainty: number | null;
  /** What the playbooks said then. */
  studentLearning: string | null;
  teacherLearning: string | null;
  createdAt: Date;
  completedAt: Date | null;
}

/** Which rewarded sessions to read. */
export interface RewardedFilters {
  learningKey: string;
  /** Simulated ones too; their rewards say nothing of a real student. */
  simulated: boolean;
  /** At most so many of the newest. */
  limit: number;
}

/**
 * Reads the rewarded sessions of a learning key, oldest first.
 *
 * @example
 * const sessions = await rewardedSessions(db, { learningKey: "code-review", simulated: false, limit: 200 });
 */
export async function rewardedSessions(
  db: Queryable,
  { learningKey, simulated, limit }: RewardedFilters,
): Promise<RewardedSession[]> {
  const { rows } = await db.query<RewardedSession>(
    `select (reward_stats ->> 'score')::float8 as score,
            (reward_stats ->> 'uncertainty_mean')::float8 as uncertainty,
            student_learning as "studentLearning", teacher_learning as "teacherLearning",
            created_at as "createdAt", completed_at as "completedAt"
       from sessions
      where metadata ->> 'learning_key' = $1::text and reward_stats is not null and ($2::boolean or not simulated)
      order by created_at desc, session_uuid desc limit $3`,
    [learningKey, simulated, limit],
  );
  return rows.reverse();
}
