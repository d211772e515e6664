import type { Command } from "commander";
import { lazily, withCommonOptions } from "../program.ts";
import { withExportFlags } from "./export-options.ts";

const commands = () => import("../commands/export.ts");

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
    .action(lazily(async () => (await commands()).run));
}

/** `atlas export`. */
export function exportCommand(program: Command): void {
  asExport(program.command("export"));
}
