import { type Command, Option } from "commander";
import { lazily, withCommonOptions } from "../program.ts";

const commands = () => import("../commands/alerts.ts");

/** `atlas alerts`. */
export function alertCommands(program: Command): void {
  const alerts = program.command("alerts").description("alerts on their way to their destinations");
  withCommonOptions(alerts.command("list"))
    .description("list alerts that wait or have failed")
    .addOption(new Option("--all", "also those delivered within the last 30 days"))
    .addOption(new Option("--limit <n>", "most to list, the newest first").default("100"))
    .action(lazily(async () => (await commands()).list));
  withCommonOptions(alerts.command("retry"))
    .description("deliver failed alerts after all: consumers send them again")
    .addOption(new Option("--destination <name>", "only those to this destination"))
    .action(lazily(async () => (await commands()).retry));
}
