import type { Queryable } from "../database/database.ts";
import { loadTrainingSessions, type SessionContents } from "./load-training-sessions.ts";
import { resolveSessionId } from "./resolve-session-id.ts";
import {
  conditionOf,
  type SessionFilters,
  type SessionPage,
  type SimulatedFilter,
  WHATEVER,
} from "./session-filters.ts";
import { sessionKeys } from "./session-keys.ts";
import type { AtlasSessionTrace } from "./training-session.ts";

export { resolveSessionId } from "./resolve-session-id.ts";
export { streamTraces } from "./stream-traces.ts";
export type { AtlasSessionTrace, AtlasStepTrace, JsonObject, TrainingPlanStep } from "./training-session.ts";
export type { SessionContents, SessionFilters, SessionPage, SimulatedFilter };

/** Which sessions to export. */
export type TraceFilters = SessionPage;

/** Which sessions to read, and what of them. */
export interface TrainingSessionOptions extends SessionPage, SessionContents {}

/** How much one query of {@link streamTrainingSessions} brings into memory, at least one session. */
const GROUP_SIZE = 8 * 1024 * 1024;

/**
 * Reads sessions for training, newest first: approved ones that are not simulated, unless asked otherwise. Traces are whole and in order.
 * The number of queries does not depend on the number of sessions, and each session is as it was at one moment.
 *
 * @returns an array in memory; {@link streamTrainingSessions} reads any number of sessions in bounded memory
 * @throws AtlasError ATLAS_FILTER_INVALID
 * @example
 * const sessions = await getTrainingSessions(atlas.db, { minReward: 0.7, limit: 100 });
 */
export const getTrainingSessions = (
  db: Queryable,
  options: TrainingSessionOptions = {},
): Promise<AtlasSessionTrace[]> => loadTrainingSessions(db, options);

/**
 * Reads one session, whatever its review status, simulated or not.
 *
 * @param id its UUID, an unambiguous prefix of it, or the integer
 * @throws AtlasError ATLAS_SESSION_NOT_FOUND, ATLAS_SESSION_AMBIGUOUS
 * @example
 * const session = await getSession(atlas.db, "018f6b0e");
 */
export async function getSession(
  db: Queryable,
  id: string,
  contents: SessionContents = {},
): Promise<AtlasSessionTrace> {
  const sessionId = await resolveSessionId(db, id);
  const [session] = await loadTrainingSessions(db, {
    ...contents,
    sessionIds: [sessionId],
    ...WHATEVER,
  });
  return session!;
}

/**
 * Counts sessions: approved ones that are not simulated, unless asked otherwise.
 *
 * @example
 * await countTrainingSessions(atlas.db, { learningKey: "code-review", reviewStatusFilters: "all" });
 */
export async function countTrainingSessions(db: Queryable, filters: SessionFilters = {}): Promise<number> {
  const { where, params } = conditionOf(filters);
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::float8 as count from sessions s where ${where}`,
    params,
  );
  return rows[0]!.count;
}

/**
 * Reads sessions in pages, newest first, each page at the same cost however deep it lies; the next one is read while
 * one is worked on. Sessions that come or go meanwhile neither repeat nor hide others.
 *
 * @param options.pageSize most sessions of a page, 100 unless told; large sessions make smaller pages
 * @throws AtlasError ATLAS_FILTER_INVALID
 * @example
 * for await (const page of paginateSessions(atlas.db, { minReward: 0.7, pageSize: 50 })) train(page);
 */
export async function* paginateSessions(
  db: Queryable,
  options: TrainingSessionOptions & { pageSize?: number | undefined } = {},
): AsyncGenerator<AtlasSessionTrace[]> {
  const { includeTrajectoryEvents, includeLearningData, pageSize = 100 } = options;
  const size = includeTrajectoryEvents === false ? Number.POSITIVE_INFINITY : GROUP_SIZE;
  const groups = sessionKeys(db, options, { items: pageSize, size });
  const load = async (): Promise<AtlasSessionTrace[] | undefined> => {
    const { value: keys, done } = await groups.next();
    if (done === true) return undefined;
    return loadTrainingSessions(db, {
      includeTrajectoryEvents,
      includeLearningData,
      sessionIds: keys.map(({ sessionId }) => sessionId),
      ...WHATEVER,
    });
  };
  let ahead = load();
  for (let page = await ahead; page !== undefined; page = await ahead) {
    ahead = load();
    // Who stops here does not hear of it any more.
    ahead.catch(() => undefined);
    if (page.length > 0) yield page;
  }
}

/**
 * Reads any number of sessions, newest first, in bounded memory.
 *
 * @example
 * for await (const session of streamTrainingSessions(atlas.db, { learningKey: "code-review" })) train(session);
 */
export async function* streamTrainingSessions(
  db: Queryable,
  options: TrainingSessionOptions = {},
): AsyncGenerator<AtlasSessionTrace> {
  for await (const page of paginateSessions(db, options)) yield* page;
}
