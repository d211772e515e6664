import type { Command } from "commander";
import { lazily, withCommonOptions } from "../program.ts";

const commands = () => import("../commands/import.ts");

/** `atlas import`. */
export function importCommand(program: Command): void {
  withCommonOptions(
    program
      .command("import")
      .argument("[file...]", "JSON lines, or one JSON array, of recorded conversations"),
  )
    .description("import recorded sessions as what they were; importing them again adds nothing")
    .option(
      "--from-postgres <url>",
      "take over the sessions of a database of the Python SDK, with their reviews",
    )
    .option("--from-jsonl <file>", "take over the sessions of a file that the Python SDK exported")
    .option("--learning-key <key>", "learning key of every session")
    .option("--at <time>", "when sessions without recorded times happened")
    .addHelpText("after", "\nExit code 3 when some lines were malformed and the rest went in.")
    .action(lazily(async () => (await commands()).importSessions));
}
