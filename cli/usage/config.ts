import type { Command } from "commander";
import { lazily } from "../program.ts";

const commands = () => import("../commands/config.ts");

/** `atlas config`. */
export function configCommands(program: Command): void {
  const config = program.command("config").description("configuration files");
  config
    .command("init")
    .description("write a first configuration to go on from")
    .option("--output <file>", "file to write", "atlas.yaml")
    .option("--force", "replace the file if it exists")
    .action(lazily(async () => (await commands()).init));
  config
    .command("check")
    .argument("<file>", "YAML configuration")
    .description("everything that is wrong with a file, with line and column, and what in it has no effect")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExit code 2 when something is wrong.")
    .action(lazily(async () => (await commands()).check));
  config
    .command("schema")
    .description("JSON Schema of configuration files, for editors")
    .action(lazily(async () => (await commands()).schema));
}
