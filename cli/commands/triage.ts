import { isAbsolute } from "node:path";
import { type TriageTemplate, triageStarter } from "../../configs/triage-starter.ts";
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

/** `atlas triage init`. */
export async function init({ template, output, force }: InitOptions): Promise<void> {
  await writeNewFile(output, triageStarter(template, /\.[cm]?ts$/.test(output)), { force: force === true });
  print(`Wrote ${output}. To use it, add to the configuration:`);
  print(`triage:\n  import_path: ${importPathOf(output)}`);
}
