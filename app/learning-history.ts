import { isOffline } from "../configs/offline-mode.ts";
import type { Queryable } from "../database/database.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import { defaultLogger } from "../logging/process-warnings.ts";
import type { History, HistoryEntry } from "../producers/lanes/history.ts";
import { type RewardedSession, rewardedSessions } from "../projections/learning-history.ts";

/** Enough for an average that means something; a learning key can have many more. */
const MOST_ENTRIES = 1000;

const entryOf = (session: RewardedSession): HistoryEntry => ({
  score: session.score,
  uncertainty: session.uncertainty ?? undefined,
  studentLearning: session.studentLearning ?? undefined,
  teacherLearning: session.teacherLearning ?? undefined,
  createdAt: session.createdAt.toISOString(),
  completedAt: session.completedAt?.toISOString(),
});

/**
 * The history that the read models tell: rewarded sessions of the learning key, oldest first, the last 1000 at most.
 * Simulated ones are told to simulated runs only. Where the read models cannot be read, the logger is told
 * once, and the choice of a lane does without.
 *
 * @example
 * const history = readHistory(db);
 * const entries = await history("code-review");
 */
export function readHistory(db: Queryable, logger: GuardedLogger = defaultLogger): History {
  let warned = false;
  return async (learningKey) => {
    try {
      const filters = { learningKey, simulated: isOffline(), limit: MOST_ENTRIES };
      return (await rewardedSessions(db, filters)).map(entryOf);
    } catch (error) {
      if (!warned)
        logger.of("lanes").warn({ code: "ATLAS_HISTORY", err: error }, "lanes are chosen without history");
      warned = true;
      throw error;
    }
  };
}
