import { conditionOf, type SessionFilters } from "../../projections/session-filters.ts";
import { isoOf } from "../../schemas/identity.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { stepsThatRan } from "../../traces/step-record.ts";

/**
 * Refuses values that mean nothing, in the words of the queries on the read models.
 *
 * @throws AtlasError ATLAS_FILTER_INVALID
 */
export const checkFilters = (filters: SessionFilters): void => void conditionOf(filters);

const among = (values: readonly string[] | undefined, value: string): boolean =>
  values === undefined || values.some((wanted) => wanted.toLowerCase() === value);

/** What can be decided by what was said of a session elsewhere; an erased session never passes. */
export function passesFacts(trace: SessionTrace, filters: SessionFilters): boolean {
  const { minReward, maxReward, reviewStatusFilters = ["approved"], driftAlert, sessionIds } = filters;
  const score = trace.reward?.score;
  if (trace.erased !== null) return false;
  if (minReward !== undefined && !(score !== undefined && score >= minReward)) return false;
  if (maxReward !== undefined && !(score !== undefined && score <= maxReward)) return false;
  if (driftAlert !== undefined && (trace.drift?.alert === true) !== driftAlert) return false;
  if (sessionIds !== undefined && !sessionIds.includes(trace.session_id)) return false;
  return reviewStatusFilters === "all" || among(reviewStatusFilters, trace.review_status);
}

/** Milliseconds of a time in microseconds, for comparing with a `Date`. */
const isBefore = (micros: number, date: Date): boolean => micros < date.getTime() * 1000;

/** Whether a whole session passes, as it would in a query on the read models. */
export function passes(trace: SessionTrace, filters: SessionFilters): boolean {
  const { createdAfter, createdBefore, learningKey, statusFilters, lane, agent, tags, minSteps } = filters;
  const { started, created_at } = trace;
  if (started === null || created_at === null || !passesFacts(trace, filters)) return false;
  if (createdAfter !== undefined && isBefore(created_at, createdAfter)) return false;
  if (createdBefore !== undefined && !isBefore(created_at, createdBefore)) return false;
  if (learningKey !== undefined && started.learning_key !== learningKey) return false;
  if (!among(statusFilters, trace.status)) return false;
  if (lane !== undefined && trace.lanes.at(-1)?.lane !== lane) return false;
  if (agent !== undefined && started.agent !== agent) return false;
  if (tags?.some((tag) => !started.tags.includes(tag)) === true) return false;
  return minSteps === undefined || stepsThatRan(trace).length >= minSteps;
}

/** Filters as they stand in a manifest. */
export type StoredFilters = Record<string, string | number | boolean | readonly string[]>;

/** Filters as JSON, keys in order; times as texts. */
export function filtersToJson(filters: SessionFilters): StoredFilters {
  const stored: StoredFilters = {};
  for (const [key, value] of Object.entries(filters).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (value === undefined) continue;
    stored[key] = value instanceof Date ? isoOf(value.getTime() * 1000) : (value as StoredFilters[string]);
  }
  return stored;
}

/** The filters that a manifest holds. */
export function filtersFromJson(stored: StoredFilters): SessionFilters {
  const { createdAfter, createdBefore, ...rest } = stored;
  return {
    ...(rest as SessionFilters),
    ...(createdAfter !== undefined && { createdAfter: new Date(String(createdAfter)) }),
    ...(createdBefore !== undefined && { createdBefore: new Date(String(createdBefore)) }),
  };
}
