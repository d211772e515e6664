import { isAbsolute } from "node:path";
import { type Command, Option } from "commander";
import { TRIAGE_TEMPLATES, type TriageTemplate, triageStarter } from "../../configs/triage-starter.ts";
import { writeNewFile } from "../new-file.ts";
import { print } from "../output.ts";

interface InitOptions {
  template: TriageTemplate;
  output: string;
  force?: boolean;
}

/** How a configuration in the working directory names the file. */
const importPathOf = (file: string): string =>
  isAbsolute(file) || file.startsWith(".") ? file : `./${file}`;

async function init({ template, output, force }: InitOptions): Promise<void> {
  await writeNewFile(output, triageStarter(template, /\.[cm]?ts$/.test(output)), { force: force === true });
  print(`Wrote ${output}. To use it, add to the configuration:`);
  print(`triage:\n  import_path: ${importPathOf(output)}`);
}

/** `atlas triage`. */
export function triageCommands(program: Command): void {
  const triage = program.command("triage").description("describing tasks before anybody works on them");
  triage
    .command("init")
    .description("write a first triage adapter to go on from")
    .addOption(
      new Option("--template <name>", "what tasks are about").choices(TRIAGE_TEMPLATES).default("generic"),
    )
    .option("--output <file>", "file to write; TypeScript where its name ends in .ts", "triage.mjs")
    .option("--force", "replace the file if it exists")
    .action(init);
}
