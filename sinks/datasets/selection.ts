import { conditionOf, type SessionFilters } from "../../projections/session-filters.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { stepsThatRan } from "../../traces/step-record.ts";

/** Which sessions go into a dataset: approved ones that are not simulated, unless asked otherwise. */
export interface DatasetFilters extends SessionFilters {
  /** Takes sessions in, too, of which something is missing; each says so in its `session_metadata`. */
  includeIncomplete?: boolean | undefined;
}

/** Why a session is not in a dataset. */
export type LeftOut = "erased" | "incomplete" | "simulated" | "filtered";

/**
 * Refuses filters that mean nothing.
 *
 * @throws AtlasError ATLAS_FILTER_INVALID
 */
export const refuseNonsense = (filters: DatasetFilters): void => void conditionOf(filters);

const among = (value: string, wanted: readonly string[] | undefined): boolean =>
  wanted === undefined || wanted.some((one) => one.toLowerCase() === value);

/** A reward without the judgements behind it: what was read of the session ends within it. */
const isCut = ({ reward, judged }: SessionTrace): boolean => reward !== null && judged === null;

function passes(trace: SessionTrace, filters: DatasetFilters): boolean {
  const { minReward, maxReward, createdAfter, createdBefore, learningKey, lane, agent, tags } = filters;
  const { reviewStatusFilters = ["approved"], statusFilters, sessionIds, driftAlert, minSteps } = filters;
  const score = trace.reward?.score;
  const started = trace.started!;
  const created = trace.created_at!;
  return (
    (minReward === undefined || (score !== undefined && score >= minReward)) &&
    (maxReward === undefined || (score !== undefined && score <= maxReward)) &&
    (createdAfter === undefined || created >= createdAfter.getTime() * 1000) &&
    (createdBefore === undefined || created < createdBefore.getTime() * 1000) &&
    (learningKey === undefined || started.learning_key === learningKey) &&
    (lane === undefined || trace.lanes.at(-1)?.lane === lane) &&
    (agent === undefined || started.agent === agent) &&
    (tags ?? []).every((tag) => started.tags.includes(tag)) &&
    (driftAlert === undefined || (trace.drift?.alert ?? false) === driftAlert) &&
    (minSteps === undefined || stepsThatRan(trace).length >= minSteps) &&
    among(trace.status, statusFilters) &&
    (reviewStatusFilters === "all" || among(trace.review_status, reviewStatusFilters)) &&
    (sessionIds === undefined || sessionIds.includes(trace.session_id))
  );
}

/**
 * Says why a session is left out; undefined for one that goes in.
 *
 * @param trace of a session whose start was seen
 */
export function reasonAgainst(trace: SessionTrace, filters: DatasetFilters): LeftOut | undefined {
  if (trace.erased !== null) return "erased";
  if (!passes(trace, filters)) return "filtered";
  const { simulated = false } = filters;
  if (simulated !== "all" && trace.simulated !== simulated) return trace.simulated ? "simulated" : "filtered";
  if (filters.includeIncomplete !== true && (trace.incomplete || isCut(trace))) return "incomplete";
  return undefined;
}
