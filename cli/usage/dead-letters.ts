import type { Command } from "commander";
import { lazily, withCommonOptions } from "../program.ts";

const commands = () => import("../commands/dead-letters.ts");

/** `atlas dead-letters`. */
export function deadLetterCommands(program: Command): void {
  const letters = program.command("dead-letters").description("records that a consumer could not apply");
  withCommonOptions(letters.command("list"))
    .description("what was set aside, where, when and why")
    .action(lazily(async () => (await commands()).list));
  withCommonOptions(
    letters.command("retry").argument("[id...]", "letters by id, or its unambiguous beginning"),
  )
    .description("hand records to the consumer that refused them, once more")
    .option("--all", "every one that is listed")
    .option("--author <name>", "who retries, instead of ATLAS_REVIEWER or the user of the system")
    .addHelpText("after", "\nExit code 1 when all were refused again, 3 when some were.")
    .action(lazily(async () => (await commands()).retry));
}
