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

/** `atlas config init`. */
export async function init({ output, force }: InitOptions): Promise<void> {
  await writeNewFile(output, STARTER_CONFIG, { force: force === true });
  print(`Wrote ${output}. Try: atlas run --config ${output} --task "…"`);
}

/** `atlas config check`. */
export function check(file: string, { json }: { json?: boolean }): void {
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

/** `atlas config schema`. */
export function schema(): void {
  printJson(configJsonSchema());
}
