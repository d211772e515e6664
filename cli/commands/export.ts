import type { Command } from "commander";
import { exportDataset } from "../../app/export-dataset.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { resolveSessionId } from "../../projections/resolve-session-id.ts";
import { REVIEW_STATUSES, type ReviewStatus } from "../../schemas/vocabulary.ts";
import { print, printJson, startProgress } from "../output.ts";
import { type CommonOptions, interruptSignal, withCommonOptions } from "../program.ts";
import { withAtlas } from "../session.ts";
import { count } from "./review.ts";

interface Options extends CommonOptions {
  output: string;
  sessionId?: string[];
  limit?: string;
  offset: string;
  status?: string[];
  includeStatus?: string[];
  includeAllStatuses?: boolean;
  learningKey?: string;
  minReward?: string;
}

function reviewStatusesOf(options: Options): ReviewStatus[] | "all" {
  if (options.includeAllStatuses === true) return "all";
  const wanted = ["approved", ...(options.includeStatus ?? [])].map((status) => status.toLowerCase());
  for (const status of wanted) {
    if (!(REVIEW_STATUSES as readonly string[]).includes(status)) {
      const hint = `Use ${REVIEW_STATUSES.join(", ")}.`;
      throw new AtlasError("ATLAS_USAGE", `there is no review status ${JSON.stringify(status)}`, {
        where: "--include-status",
        hint,
      });
    }
  }
  return [...new Set(wanted)] as ReviewStatus[];
}

function rewardOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(text)} is not a number`, { where: "--min-reward" });
}

async function run(options: Options): Promise<void> {
  const reviewStatusFilters = reviewStatusesOf(options);
  const minReward = rewardOf(options.minReward);
  const limit = options.limit === undefined ? null : count(options.limit, "--limit", 1);
  const offset = count(options.offset, "--offset", 0);
  const signal = interruptSignal();
  const progress = startProgress(options.quiet);
  const summary = await withAtlas(options, async (atlas) => {
    await atlas.settled({ signal });
    const sessionIds: string[] = [];
    for (const id of options.sessionId ?? []) sessionIds.push(await resolveSessionId(atlas.db, id));
    try {
      return await exportDataset(atlas, {
        output: options.output,
        filters: {
          reviewStatusFilters,
          limit,
          offset,
          ...(minReward !== undefined && { minReward }),
          ...(options.status !== undefined && {
            statusFilters: options.status.map((status) => status.toLowerCase()),
          }),
          ...(options.learningKey !== undefined && { learningKey: options.learningKey }),
          ...(options.sessionId !== undefined && { sessionIds }),
        },
        onProgress: (sessions) => progress.update(`${sessions} sessions`),
      });
    } finally {
      progress.done();
    }
  });
  const { file, manifest, manifestPath } = summary;
  if (options.json === true) printJson({ file, manifestPath, manifest });
  else if (options.quiet !== true) {
    const simulated =
      manifest.simulated_sessions === 0 ? "" : ` (${manifest.simulated_sessions} of them simulated)`;
    print(`Wrote ${manifest.sessions} sessions${simulated} with ${manifest.steps} steps to ${file.path}`);
    print(`sha256 ${file.sha256}, ${file.bytes} bytes; manifest ${manifestPath}`);
  }
}

/** Gives a command the options and the work of an export. */
export function asExport(command: Command): Command {
  return withCommonOptions(command)
    .description("write approved sessions as JSON lines, whole or not at all, with a manifest beside them")
    .requiredOption("--output <file>", "file to write")
    .option("--session-id <id...>", "only these: UUID, prefix or integer")
    .option("--limit <n>", "most sessions to write")
    .option("--offset <n>", "skip the newest n", "0")
    .option(
      "--status <status...>",
      "only sessions that ended so: succeeded, failed, cancelled, running, abandoned",
    )
    .option("--include-status <status...>", "review statuses to add to approved")
    .option("--include-all-statuses", "whatever their review status")
    .option("--learning-key <key>", "only of this learning key")
    .option("--min-reward <score>", "only with at least this reward")
    .addHelpText("after", "\nExit code 1 when no session passes the filters; no file is written then.")
    .action(run);
}

/** `atlas export`. */
export function exportCommand(program: Command): void {
  asExport(program.command("export"));
}
