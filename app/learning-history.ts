import { isOffline } from "../configs/offline-mode.ts";
import type { Queryable } from "../database/database.ts";
import { explain } from "../errors/atlas-error.ts";
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
 * Simulated ones are told to simulated runs only. Where the read models cannot be read, a warning of the process says
 * so once, and the choice of a lane does without.
 *
 * @example
 * const history = readHistory(db);
 * const entries = await history("code-review");
 */
export function readHistory(db: Queryable): History {
  let told = false;
  return async (learningKey) => {
    try {
      const filters = { learningKey, simulated: isOffline(), limit: MOST_ENTRIES };
      return (await rewardedSessions(db, filters)).map(entryOf);
    } catch (error) {
      if (!told)
        process.emitWarning(`lanes are chosen without history: ${explain(error)}`, { code: "ATLAS_HISTORY" });
      told = true;
      throw error;
    }
  };
}
