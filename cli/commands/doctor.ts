import type { Command } from "commander";
import { diagnose } from "../../app/doctor.ts";
import type { Finding } from "../../app/finding.ts";
import { print, printJson, table } from "../output.ts";
import { type CommonOptions, EXIT, withCommonOptions } from "../program.ts";
import { configOf } from "../session.ts";

const LOOKS = { ok: "green", warning: "yellow", broken: "red" } as const;

async function doctor(options: CommonOptions): Promise<void> {
  const findings = await diagnose(configOf(options));
  const broken = findings.filter(({ status }) => status === "broken");
  if (options.json === true) printJson({ healthy: broken.length === 0, findings });
  else {
    const shown: Finding[] = options.quiet === true ? broken : findings;
    if (shown.length > 0)
      for (const line of table(shown, [
        { title: "What", value: ({ name }) => name },
        { title: "State", value: ({ status }) => status, look: ({ status }) => LOOKS[status] },
        { title: "Detail", value: ({ detail }) => detail },
      ]))
        print(line);
  }
  if (broken.length > 0) process.exitCode = EXIT.failure;
}

/** `atlas doctor`. */
export function doctorCommand(program: Command): void {
  withCommonOptions(program.command("doctor"))
    .description("look at keys (names only), models, database, registry, log, lock and consumers")
    .addHelpText("after", "\nExit code 1 when something is broken. No prompt is sent to a model.")
    .action(doctor);
}
