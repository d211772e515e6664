import type { Command } from "commander";
import type { ExportSummary } from "../../sinks/jsonl/export-sessions.ts";
import { leftOutLine } from "../dataset-flags.ts";
import { checkedExport, type ExportFlags, withExportFlags } from "../export-flags.ts";
import { print, startProgress, tell } from "../output.ts";
import { interruptSignal, withCommonOptions } from "../program.ts";
import { withAtlas } from "../session.ts";

const STDOUT = "/dev/stdout";

/** What an export wrote, for people. */
function summaryLines({ file, manifest, manifestPath }: ExportSummary): string[] {
  const simulated =
    manifest.simulated_sessions === 0 ? "" : ` (${manifest.simulated_sessions} of them simulated)`;
  const beside =
    manifestPath === undefined ? "no manifest, because it is no file" : `manifest ${manifestPath}`;
  const leftOut = leftOutLine(manifest.left_out.simulated);
  return [
    `Wrote ${manifest.sessions} sessions${simulated} with ${manifest.steps} steps to ${file.path}`,
    ...(leftOut === undefined ? [] : [leftOut]),
    `sha256 ${file.sha256}, ${file.bytes} bytes; ${beside}`,
  ];
}

async function run(options: ExportFlags & { output: string }): Promise<void> {
  const exportSessions = checkedExport(options);
  const output = options.output === "-" ? STDOUT : options.output;
  const signal = interruptSignal();
  const progress = startProgress(options.quiet);
  const summary = await withAtlas(options, async (atlas) => {
    await atlas.settled({ signal });
    return exportSessions(atlas, {
      output,
      signal,
      onProgress: (sessions) => progress.update(`${sessions} sessions`),
    });
  }).finally(() => progress.done());
  const { file, manifest, manifestPath } = summary;
  // Where the sessions are on standard output, what is said of them is not.
  const say = output === STDOUT ? tell : print;
  if (options.json === true) say(JSON.stringify({ file, manifestPath, manifest }, null, 2));
  else if (options.quiet !== true) for (const line of summaryLines(summary)) say(line);
}

/** Gives a command the options and the work of an export. */
export function asExport(command: Command): Command {
  return withExportFlags(
    withCommonOptions(command)
      .description("write approved sessions as JSON lines, whole or not at all, with a manifest beside them")
      .requiredOption("--output <file>", "file to write; - for standard output"),
  )
    .option("--force", "replace a file that is no export")
    .addHelpText(
      "after",
      "\nATLAS_REVIEW_DEFAULT_EXPORT_STATUSES, else export.review_statuses of the configuration, names other statuses " +
        "than approved. Exit code 1 when no session " +
        "passes the filters; no file is written then.",
    )
    .action(run);
}

/** `atlas export`. */
export function exportCommand(program: Command): void {
  asExport(program.command("export"));
}
