import type { Command } from "commander";
import { lazily, withCommonOptions } from "../program.ts";
import { FOLDER } from "../quickstart-folder.ts";

const commands = () => import("../commands/quickstart.ts");

/** `atlas quickstart`. */
export function quickstartCommand(program: Command): void {
  withCommonOptions(program.command("quickstart"))
    .description(
      "run three tasks, judge them, review them, export them, and prove that it can all be replayed",
    )
    .addHelpText(
      "after",
      `\nIts sessions are kept apart from your own, in ${FOLDER}, unless --config or --database-url names another log.`,
    )
    .option("--output <file>", "dataset to write", `${FOLDER}/dataset.jsonl`)
    .action(lazily(async () => (await commands()).quickstart));
}
