import type { Command } from "commander";
import { lazily, withCommonOptions } from "../program.ts";

const commands = () => import("../commands/processors.ts");

/** `atlas processors`. */
export function processorCommands(program: Command): void {
  const processors = program.command("processors").description("which version of a processor answers");
  withCommonOptions(processors.command("list"))
    .description("every version that the database has, what it does, and how far it is")
    .action(lazily(async () => (await commands()).list));
  withCommonOptions(processors.command("promote").argument("[processor]", "its name, such as drift"))
    .description("let a version answer in the place of the one that does")
    .option("--all", "the highest version of every processor")
    .option("--version-number <n>", "which one; the highest unless told")
    .option("--author <name>", "who promotes it, instead of ATLAS_REVIEWER or the user of the system")
    .addHelpText(
      "after",
      "\nIt takes over exactly where the other one stands. What it says otherwise about what came before is published as " +
        "revisions. It may be interrupted and called again.",
    )
    .action(lazily(async () => (await commands()).promote));
  withCommonOptions(
    processors
      .command("retire")
      .argument("<version>", "a version that does not answer, such as drift@3, whose processes have ended"),
  )
    .description("forget all that the database has of a version")
    .action(lazily(async () => (await commands()).retire));
}
