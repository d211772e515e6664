import type { Command } from "commander";
import { lazily, withCommonOptions } from "../program.ts";

const commands = () => import("../commands/rebuild.ts");

/** `atlas rebuild`. */
export function rebuildCommand(program: Command): void {
  withCommonOptions(program.command("rebuild"))
    .description("rebuild the read models from the log, beside the live ones, and swap")
    .option(
      "--derived",
      "also compute rewards, drift and review again from what happened, and compare with the log",
    )
    .option(
      "--topics <names>",
      "with --derived: derived topics that were lost or shortened, as in rewards,drift; puts back what they lack first",
    )
    .addHelpText(
      "after",
      "\nExit code 3 when recomputed events differ without an explanation and were not published.",
    )
    .action(lazily(async () => (await commands()).run));
}
