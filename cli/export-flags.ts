import type { ExportDatasetOptions } from "../app/export-dataset.ts";
import type { Atlas } from "../app/open-atlas.ts";
import type { AtlasConfig } from "../configs/config-schema.ts";
import { AtlasError, explain, isAtlasError } from "../errors/atlas-error.ts";
import { resolveSessionId } from "../projections/resolve-session-id.ts";
import type { SessionFilters } from "../projections/session-filters.ts";
import type { ReviewStatus } from "../schemas/vocabulary.ts";
import type { ExportSummary } from "../sinks/jsonl/export-sessions.ts";
import { count } from "./count.ts";
import { EXPORT_FLAGS, filtersOf, type SimulatedFlag } from "./dataset-flags.ts";
import { tell } from "./output.ts";
import type { CommonOptions } from "./program.ts";
import { reviewStatusesNamed, sessionStatusesOf } from "./statuses.ts";

/** What both `atlas export` and `atlas train` let one choose. */
export interface ExportFlags extends CommonOptions, SimulatedFlag {
  sessionId?: string[];
  limit?: string;
  offset: string;
  force?: boolean;
  batchSize?: string;
  trajectoryEventLimit?: string;
  status?: string[];
  includeStatus?: string[];
  includeAllStatuses?: boolean;
  learningKey?: string;
  minReward?: string;
  where?: string[];
}

/** Names the variable that says which review statuses leave by default. */
const DEFAULT_STATUSES = "ATLAS_REVIEW_DEFAULT_EXPORT_STATUSES";
/** Names the variable that says that nobody has to approve. */
const REQUIRE_APPROVAL = "ATLAS_REVIEW_REQUIRE_APPROVAL";

/**
 * The review statuses that leave: approved ones, unless the flags, the environment or the configuration say otherwise.
 *
 * @throws AtlasError ATLAS_USAGE
 */
export function reviewStatusesOf(
  { includeStatus = [], includeAllStatuses }: Pick<ExportFlags, "includeStatus" | "includeAllStatuses">,
  env: NodeJS.ProcessEnv = process.env,
  configured?: AtlasConfig["export"]["reviewStatuses"],
): ReviewStatus[] | "all" {
  if (includeAllStatuses === true) return "all";
  const listed = env[DEFAULT_STATUSES]?.split(",").filter((word) => word.trim() !== "") ?? [];
  if (listed.some((word) => ["*", "all"].includes(word.trim().toLowerCase()))) return "all";
  const nobodyApproves = ["0", "false", "off"].includes(env[REQUIRE_APPROVAL]?.trim().toLowerCase() ?? "");
  const usual: ReviewStatus[] = nobodyApproves ? ["approved", "pending"] : ["approved"];
  const byDefault = listed.length > 0 ? reviewStatusesNamed(listed, DEFAULT_STATUSES) : (configured ?? usual);
  if (byDefault === "all") return "all";
  return [...new Set([...byDefault, ...reviewStatusesNamed(includeStatus, "--include-status")])];
}

function rewardOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(text)} is not a number`, { where: "--min-reward" });
}

function conditionsOf({ where = [], includeSimulated }: ExportFlags): SessionFilters {
  for (const condition of where) {
    const name = condition.split("=", 1)[0]!;
    if (!Object.hasOwn(EXPORT_FLAGS, name)) continue;
    const hint = `Use ${EXPORT_FLAGS[name]}.`;
    throw new AtlasError("ATLAS_USAGE", `an export has a flag for ${name}`, { where: "--where", hint });
  }
  return filtersOf(where, includeSimulated);
}

const counted = (text: string | undefined, flag: string): number | undefined =>
  text === undefined ? undefined : count(text, flag, 1);

/** An export as flags describe it, checked before anything is opened. */
export type CheckedExport = (
  atlas: Atlas,
  options: Pick<ExportDatasetOptions, "output" | "onProgress" | "signal">,
) => Promise<ExportSummary>;

/**
 * Checks the flags of an export.
 *
 * @returns what carries it out; ids that no session has are told, and left out
 * @throws AtlasError ATLAS_USAGE
 */
export function checkedExport(flags: ExportFlags): CheckedExport {
  reviewStatusesOf(flags);
  const where = conditionsOf(flags);
  const minReward = rewardOf(flags.minReward);
  const limit = flags.limit === undefined ? null : count(flags.limit, "--limit", 1);
  const offset = count(flags.offset, "--offset", 0);
  const batchSize = counted(flags.batchSize, "--batch-size");
  const eventLimit = counted(flags.trajectoryEventLimit, "--trajectory-event-limit");
  const statusFilters = flags.status && sessionStatusesOf(flags.status, "--status");
  const { learningKey = where.learningKey } = flags;
  return async (atlas, options) => {
    const reviewStatusFilters = reviewStatusesOf(flags, process.env, atlas.config.export.reviewStatuses);
    const sessionIds = flags.sessionId && (await knownIds(atlas, flags.sessionId));
    const own = { reviewStatusFilters, limit, offset, statusFilters, learningKey, sessionIds };
    const filters = { ...where, ...own, minReward: minReward ?? where.minReward };
    return atlas.datasets.export({ ...options, force: flags.force, filters, batchSize, eventLimit });
  };
}

async function knownIds({ db }: Pick<Atlas, "db">, ids: readonly string[]): Promise<string[]> {
  const known = new Set<string>();
  for (const id of ids) {
    try {
      known.add(await resolveSessionId(db, id));
    } catch (error) {
      if (!isAtlasError(error, "ATLAS_SESSION_NOT_FOUND")) throw error;
      tell(`warning: ${explain(error)}`);
    }
  }
  return [...known];
}
