import type { Command } from "commander";
import type { ExportSummary } from "../../sinks/jsonl/export-sessions.ts";
import { checkedExport, type ExportFlags, withExportFlags } from "../export-flags.ts";
import { print, printJson, startProgress } from "../output.ts";
import { interruptSignal, withCommonOptions } from "../program.ts";
import { withAtlas } from "../session.ts";

/** Tells people what an export wrote. */
export function tellExport({ file, manifest, manifestPath }: ExportSummary): void {
  const simulated =
    manifest.simulated_sessions === 0 ? "" : ` (${manifest.simulated_sessions} of them simulated)`;
  print(`Wrote ${manifest.sessions} sessions${simulated} with ${manifest.steps} steps to ${file.path}`);
  print(`sha256 ${file.sha256}, ${file.bytes} bytes; manifest ${manifestPath}`);
}

async function run(options: ExportFlags & { output: string }): Promise<void> {
  const exportSessions = checkedExport(options);
  const { output } = options;
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
  if (options.json === true) printJson({ file, manifestPath, manifest });
  else if (options.quiet !== true) tellExport(summary);
}

/** Gives a command the options and the work of an export. */
export function asExport(command: Command): Command {
  return withExportFlags(
    withCommonOptions(command)
      .description("write approved sessions as JSON lines, whole or not at all, with a manifest beside them")
      .requiredOption("--output <file>", "file to write"),
  )
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
