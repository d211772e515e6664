import type { Command } from "commander";
import { lazily, withCommonOptions } from "../program.ts";

const commands = () => import("../commands/import.ts");

/** `atlas import`. */
export function importCommand(program: Command): void {
  withCommonOptions(
    program
      .command("import")
      .argument("[file...]", "recorded conversations, of any format that `--format` names"),
  )
    .description("import recorded sessions as what they were; importing them again adds nothing")
    .option(
      "--from-postgres <url>",
      "take over the sessions of a database of the Python SDK, with their reviews",
    )
    .option("--from-jsonl <file>", "take over the sessions of a file that the Python SDK exported")
    .option("--format <name>", "format of the files (recognized unless told)")
    .option("--dry-run", "say what the files hold and what would be lost, and import nothing")
    .option("--learning-key <key>", "learning key of every session")
    .option("--tools <file>", "definitions of the agent's tools, for recordings that lack them")
    .option("--group-by <field>", "field whose value trials of one task share, such as info.task_id")
    .option("--reward-scale <min,max>", "the worst and the best recorded reward (0,1 unless told)")
    .option("--time-zone <zone>", "zone of recorded times that name none (UTC unless told)")
    .option("--keep-secrets", "leave keys and passwords in what coding agents recorded")
    .option("--at <time>", "when sessions without recorded times happened")
    .option("--again", "import anew what an earlier version imported otherwise; the old sessions stay")
    .addHelpText(
      "after",
      "\nFormats and what becomes of their fields: docs/importing.md.\nExit code 3 when some lines were malformed and the rest went in.",
    )
    .action(lazily(async () => (await commands()).importSessions));
}
