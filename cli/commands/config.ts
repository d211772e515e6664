import type { Command } from "commander";
import { configJsonSchema } from "../../configs/config-schema.ts";
import { examineConfig } from "../../configs/load-config.ts";
import { STARTER_CONFIG } from "../../configs/starter.ts";
import { writeNewFile } from "../new-file.ts";
import { harmless, print, printJson, style, tell } from "../output.ts";
import { EXIT } from "../program.ts";

interface InitOptions {
  output: string;
  force?: boolean;
}

async function init({ output, force }: InitOptions): Promise<void> {
  await writeNewFile(output, STARTER_CONFIG, { force: force === true });
  print(`Wrote ${output}. Try: atlas run --config ${output} --task "…"`);
}

function check(file: string, { json }: { json?: boolean }): void {
  const warnings: string[] = [];
  const examined = examineConfig(file, process.env, (warning) => warnings.push(warning));
  const problems = Array.isArray(examined) ? examined : [];
  if (json === true) printJson({ file, valid: problems.length === 0, problems, warnings });
  else {
    for (const { where, text } of problems)
      print(`${where === undefined ? "" : `${harmless(where)}: `}${style("red", harmless(text))}`);
    for (const warning of warnings) tell(`warning: ${warning}`);
    if (problems.length === 0) print(`${harmless(file)} is valid.`);
  }
  if (problems.length > 0) process.exitCode = EXIT.usage;
}

/** `atlas config`. */
export function configCommands(program: Command): void {
  const config = program.command("config").description("configuration files");
  config
    .command("init")
    .description("write a first configuration to go on from")
    .option("--output <file>", "file to write", "atlas.yaml")
    .option("--force", "replace the file if it exists")
    .action(init);
  config
    .command("check")
    .argument("<file>", "YAML configuration")
    .description("everything that is wrong with a file, with line and column, and what in it has no effect")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExit code 2 when something is wrong.")
    .action(check);
  config
    .command("schema")
    .description("JSON Schema of configuration files, for editors")
    .action(() => printJson(configJsonSchema()));
}
