import { AtlasError } from "../errors/atlas-error.ts";
import type { Uuid } from "../schemas/generated/events.ts";
import { REVIEW_STATUSES, SESSION_STATUSES } from "../schemas/vocabulary.ts";
import { cleanText } from "../traces/clean-text.ts";

/** Which sessions to read. All conditions have to hold. */
export interface SessionFilters {
  /** Only sessions with at least this reward; those without one are left out then, also for 0. */
  minReward?: number | undefined;
  /** Only sessions with at most this reward; those without one are left out. */
  maxReward?: number | undefined;
  /** Only sessions that began at this time or later. */
  createdAfter?: Date | undefined;
  /** Only sessions that began before this time. */
  createdBefore?: Date | undefined;
  learningKey?: string | undefined;
  /** Only sessions with one of these: running, succeeded, failed, cancelled, abandoned. */
  statusFilters?: readonly string[] | undefined;
  /** Only sessions with one of these review statuses, or "all"; approved ones unless told. */
  reviewStatusFilters?: readonly string[] | "all" | undefined;
  sessionIds?: readonly Uuid[] | undefined;
  /** The lane that the session ended in: auto, paired or coach. */
  lane?: string | undefined;
  /** Name of the agent. */
  agent?: string | undefined;
  /** Only sessions that have all of these. */
  tags?: readonly string[] | undefined;
  /** True for sessions whose reward drifted, false for all others. */
  driftAlert?: boolean | undefined;
  /** Only sessions in which at least so many steps ran. */
  minSteps?: number | undefined;
  /** Real sessions only unless told: true for simulated ones only, "all" for both. */
  simulated?: SimulatedFilter | undefined;
}

/** Which sessions, by whether models were simulated in them. */
export type SimulatedFilter = boolean | "all";

/** What lets through a session that is named, whatever is thought of it. */
export const WHATEVER = { reviewStatusFilters: "all", simulated: "all" } as const;

/** {@link SessionFilters}, and which part of what they let through; newest sessions come first. */
export interface SessionPage extends SessionFilters {
  /** At most this many sessions; null, unless told, for all. */
  limit?: number | null | undefined;
  /** Skips this many of the newest. */
  offset?: number | undefined;
}

const lower = (values: readonly string[] | undefined): string[] | null =>
  values?.map((value) => value.toLowerCase()) ?? null;

const invalid = (option: string, value: unknown, wanted: string): AtlasError =>
  new AtlasError("ATLAS_FILTER_INVALID", `${option} is ${String(value)}, not ${wanted}`, { where: option });

/**
 * Refuses statuses that no session can have: they would let nothing through, and look like an answer.
 *
 * @throws AtlasError ATLAS_FILTER_INVALID
 */
export function refuseUnknownStatuses({
  statusFilters,
  reviewStatusFilters,
}: Pick<SessionFilters, "statusFilters" | "reviewStatusFilters">): void {
  const given = { statusFilters, reviewStatusFilters };
  const known = { statusFilters: SESSION_STATUSES, reviewStatusFilters: REVIEW_STATUSES };
  for (const option of ["statusFilters", "reviewStatusFilters"] as const) {
    const statuses: readonly string[] = known[option];
    const values = given[option];
    if (values === undefined || values === "all") continue;
    const unknown = values.find((value) => !statuses.includes(String(value).toLowerCase()));
    if (unknown !== undefined)
      throw invalid(option, JSON.stringify(unknown), `one of ${statuses.join(", ")}`);
  }
}

function refuseNonsense(page: SessionPage & { pageSize?: number | undefined }): void {
  for (const option of ["minReward", "maxReward"] as const) {
    const value = page[option];
    if (value !== undefined && !Number.isFinite(value)) throw invalid(option, value, "a number");
  }
  for (const option of ["createdAfter", "createdBefore"] as const) {
    const value: unknown = page[option];
    if (value !== undefined && !(value instanceof Date && !Number.isNaN(value.getTime())))
      throw invalid(option, value, "a valid Date");
  }
  const { simulated } = page;
  if (simulated !== undefined && simulated !== "all" && typeof simulated !== "boolean")
    throw invalid("simulated", simulated, 'true, false or "all"');
  const least = { limit: 0, offset: 0, minSteps: 0, pageSize: 1 } as const;
  for (const [option, from] of Object.entries(least)) {
    const value = page[option as keyof typeof least];
    if (value != null && !(Number.isInteger(value) && value >= from))
      throw invalid(option, value, `a whole number from ${from}`);
  }
  refuseUnknownStatuses(page);
}

/** The condition that a column has one of these values: a single one can go by the order of an index. */
const among = (column: string, values: readonly string[] | null | undefined): Condition | undefined => {
  if (values == null) return undefined;
  if (values.length === 1) return [(p) => `${column} = ${p}::text`, values[0]];
  return [(p) => `${column} = any(${p}::text[])`, values];
};

type Condition = readonly [sql: (parameter: string) => string, value: unknown];

const asked = (sql: (parameter: string) => string, value: unknown): Condition | undefined =>
  value === undefined ? undefined : [sql, value];

const SCORE = "(s.reward_stats ->> 'score')::double precision";

/** Written like the index on it. */
const ALERTS = "(s.metadata ->> 'drift_alert') = 'true'";

/**
 * The condition on `sessions s` that filters stand for, with parameters from $1 on.
 *
 * @throws AtlasError ATLAS_FILTER_INVALID
 */
export function conditionOf(filters: SessionPage & { pageSize?: number | undefined }): {
  where: string;
  params: unknown[];
} {
  refuseNonsense(filters);
  const { reviewStatusFilters = ["approved"], tags, driftAlert, simulated = false } = filters;
  const reviews = reviewStatusFilters === "all" ? undefined : reviewStatusFilters;
  const conditions = [
    asked((p) => `s.reward_stats is not null and ${SCORE} >= ${p}::float8`, filters.minReward),
    asked((p) => `s.reward_stats is not null and ${SCORE} <= ${p}::float8`, filters.maxReward),
    asked((p) => `s.created_at >= ${p}::timestamptz`, filters.createdAfter?.toISOString()),
    asked((p) => `s.created_at < ${p}::timestamptz`, filters.createdBefore?.toISOString()),
    asked((p) => `s.learning_key = ${p}::text`, cleanText(filters.learningKey)),
    asked((p) => `s.lane = ${p}::text`, cleanText(filters.lane)),
    asked((p) => `s.agent = ${p}::text`, cleanText(filters.agent)),
    asked((p) => `s.metadata @> ${p}::jsonb`, tags && JSON.stringify({ tags: cleanText(tags) })),
    asked((p) => `s.step_count >= ${p}::int`, filters.minSteps),
    among("s.status", lower(filters.statusFilters)),
    among("s.review_status", lower(reviews)),
    asked((p) => `s.session_uuid = any(${p}::uuid[])`, filters.sessionIds),
  ].filter((condition) => condition !== undefined);
  const where = conditions.map(([sql], index) => sql(`$${index + 1}`));
  if (driftAlert !== undefined) where.push(driftAlert ? ALERTS : `(${ALERTS}) is not true`);
  if (simulated !== "all") where.push(simulated ? "s.simulated" : "not s.simulated");
  return {
    where: where.length === 0 ? "true" : where.join(" and "),
    params: conditions.map(([, value]) => value),
  };
}
