import { AtlasError } from "../errors/atlas-error.ts";
import type { DatasetFilters } from "../sinks/datasets/selection.ts";
import type { Window } from "../sinks/datasets/window.ts";
import { reviewStatusesNamed, sessionStatusesOf } from "./statuses.ts";

const usage = (message: string, where: string, hint?: string): AtlasError =>
  new AtlasError("ATLAS_USAGE", message, { where, ...(hint !== undefined && { hint }) });

function numberOf(text: string, where: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw usage(`${JSON.stringify(text)} is not a number`, where);
}

function timeOf(text: string, where: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw usage(`${JSON.stringify(text)} is no time`, where, "Write it as 2026-01-31 or 2026-01-31T12:00:00Z.");
}

function truthOf(text: string, where: string, either = ""): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw usage(`${JSON.stringify(text)} is neither true nor false${either}`, where);
}

type Take = (filters: DatasetFilters, value: string, where: string) => DatasetFilters;

/** Conditions by the names they have in `--where`; those that may come several times collect their values. */
const CONDITIONS: Readonly<Record<string, Take>> = {
  min_reward: (filters, value, where) => ({ ...filters, minReward: numberOf(value, where) }),
  max_reward: (filters, value, where) => ({ ...filters, maxReward: numberOf(value, where) }),
  created_after: (filters, value, where) => ({ ...filters, createdAfter: timeOf(value, where) }),
  created_before: (filters, value, where) => ({ ...filters, createdBefore: timeOf(value, where) }),
  learning_key: (filters, learningKey) => ({ ...filters, learningKey }),
  lane: (filters, lane) => ({ ...filters, lane }),
  agent: (filters, agent) => ({ ...filters, agent }),
  tag: (filters, tag) => ({ ...filters, tags: [...(filters.tags ?? []), tag] }),
  drift_alert: (filters, value, where) => ({ ...filters, driftAlert: truthOf(value, where) }),
  simulated: (filters, value, where) => ({
    ...filters,
    simulated: value === "all" ? value : truthOf(value, where, ", and not all"),
  }),
  min_steps: (filters, value, where) => ({ ...filters, minSteps: numberOf(value, where) }),
  status: (filters, status, where) => ({
    ...filters,
    statusFilters: [...(filters.statusFilters ?? []), ...sessionStatusesOf([status], where)],
  }),
  review: (filters, status, where) => {
    const { reviewStatusFilters: before = [] } = filters;
    if (status === "all" || before === "all") return { ...filters, reviewStatusFilters: "all" };
    return { ...filters, reviewStatusFilters: [...before, ...reviewStatusesNamed([status], where)] };
  },
  session: (filters, id) => ({ ...filters, sessionIds: [...(filters.sessionIds ?? []), id] }),
};

/** Names that `--where` takes. */
export const CONDITION_NAMES = Object.keys(CONDITIONS);

/** Conditions for which an export has flags of its own, which know more. */
export const EXPORT_FLAGS: Readonly<Record<string, string>> = {
  session: "--session-id",
  status: "--status",
  review: "--include-status or --include-all-statuses",
};

/** Names that the `--where` of an export takes. */
export const EXPORT_CONDITIONS = CONDITION_NAMES.filter((name) => !Object.hasOwn(EXPORT_FLAGS, name));

/**
 * Filters from conditions such as `min_reward=0.7`.
 *
 * @param includeSimulated takes simulated sessions in, whatever the conditions say of them
 * @throws AtlasError ATLAS_USAGE
 */
export function filtersOf(conditions: readonly string[] = [], includeSimulated = false): DatasetFilters {
  let filters: DatasetFilters = {};
  for (const condition of conditions) {
    const [, name = "", value = ""] = /^([^=]*)=(.*)$/s.exec(condition) ?? [];
    const take = Object.hasOwn(CONDITIONS, name) ? CONDITIONS[name] : undefined;
    if (take === undefined || value === "")
      throw usage(
        `${JSON.stringify(condition)} is no condition`,
        "--where",
        `Write name=value, with a name of ${CONDITION_NAMES.join(", ")}.`,
      );
    filters = take(filters, value, `--where ${name}`);
  }
  return includeSimulated ? { ...filters, simulated: "all" } : filters;
}

/** The flag with which simulated sessions go in. */
export interface SimulatedFlag {
  includeSimulated?: boolean;
}

/** The words of {@link SimulatedFlag}. */
export const INCLUDE_SIMULATED = [
  "--include-simulated",
  "simulated sessions, too; they are left out unless told",
] as const;

/** Says how many simulated sessions were left out, and how they go in; undefined for none. */
export const leftOutLine = (simulated: number): string | undefined =>
  simulated === 0
    ? undefined
    : `Left out: ${simulated} simulated ${simulated === 1 ? "session" : "sessions"}; --include-simulated takes them in`;

/**
 * Shares from text such as `train=0.9,eval=0.1`.
 *
 * @throws AtlasError ATLAS_USAGE
 */
export function splitOf(text: string | undefined): Record<string, number> | undefined {
  if (text === undefined) return undefined;
  const parts = text.split(",").map((part) => {
    const [, name, share] = /^([^=]+)=(.+)$/.exec(part.trim()) ?? [];
    if (name === undefined || share === undefined)
      throw usage(`${JSON.stringify(part)} is no share`, "--split", "Write train=0.9,eval=0.1.");
    return [name, numberOf(share, "--split")] as const;
  });
  if (new Set(parts.map(([name]) => name)).size !== parts.length)
    throw usage("a part is named twice", "--split");
  return Object.fromEntries(parts);
}

/**
 * A bound of the log: an offset in digits, else a time.
 *
 * @throws AtlasError ATLAS_USAGE
 */
export function boundOf(text: string | undefined, flag: string): Window["from"] {
  if (text === undefined) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : timeOf(text, flag);
}
