import type { Uuid } from "../schemas/generated/events.ts";

/** Which sessions to read. All conditions have to hold. */
export interface SessionFilters {
  /** Only sessions with at least this reward; those without one are left out then, also for 0. */
  minReward?: number | undefined;
  /** Only sessions that began at this time or later. */
  createdAfter?: Date | undefined;
  learningKey?: string | undefined;
  /** Only sessions with one of these: running, succeeded, failed, cancelled, abandoned. */
  statusFilters?: readonly string[] | undefined;
  /** Only sessions with one of these review statuses, or "all"; approved ones unless told. */
  reviewStatusFilters?: readonly string[] | "all" | undefined;
  sessionIds?: readonly Uuid[] | undefined;
}

/** {@link SessionFilters}, and which part of what they let through; newest sessions come first. */
export interface SessionPage extends SessionFilters {
  /** At most this many sessions; null, unless told, for all. */
  limit?: number | null | undefined;
  /** Skips this many of the newest. */
  offset?: number | undefined;
}

const lower = (values: readonly string[] | undefined): string[] | null =>
  values?.map((value) => value.toLowerCase()) ?? null;

/** The condition on `sessions s` that filters stand for, with parameters from $1 on. */
export function conditionOf(filters: SessionFilters): { where: string; params: unknown[] } {
  const { reviewStatusFilters = ["approved"] } = filters;
  const reviews = reviewStatusFilters === "all" ? undefined : reviewStatusFilters;
  const conditions: [sql: (parameter: string) => string, value: unknown][] = [
    [(p) => `(s.reward_stats ->> 'score')::double precision >= ${p}::float8`, filters.minReward],
    [(p) => `s.created_at >= ${p}::timestamptz`, filters.createdAfter?.toISOString()],
    [(p) => `s.metadata ->> 'learning_key' = ${p}::text`, filters.learningKey],
    [(p) => `s.status = any(${p}::text[])`, lower(filters.statusFilters)],
    [(p) => `s.review_status = any(${p}::text[])`, lower(reviews)],
    [(p) => `s.session_uuid = any(${p}::uuid[])`, filters.sessionIds],
  ];
  const asked = conditions.filter(([, value]) => value !== undefined && value !== null);
  const where = asked.map(([sql], index) => sql(`$${index + 1}`)).join(" and ");
  return { where: where === "" ? "true" : where, params: asked.map(([, value]) => value) };
}
