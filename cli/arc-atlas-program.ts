import { packageInfo } from "../configs/package-info.ts";
import { newProgram, runProgram } from "./program.ts";
import { asExport } from "./usage/export.ts";
import { reviewCommand } from "./usage/review.ts";

/** `arc-atlas`: an export whose first word may be "export", or, with "review", the review tool. */
export async function main(args: readonly string[]): Promise<void> {
  const version = packageInfo().version;
  if (args[0] === "review") {
    const program = newProgram("arc-atlas", "Review sessions and export the approved ones.", version);
    reviewCommand(program);
    await runProgram(program, args);
  } else {
    const program = asExport(newProgram("arc-atlas", "", version));
    // Scripts that were written for the Python tool count on it.
    program.setOptionValue("force", true);
    program.addHelpText(
      "after",
      "\nWhatever file is there is replaced, as with --force.\n`arc-atlas review sessions|approve|quarantine|history|diff` decides what may be exported.",
    );
    await runProgram(program, args[0] === "export" ? args.slice(1) : args);
  }
}
