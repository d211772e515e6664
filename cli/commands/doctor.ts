import { diagnose } from "../../app/doctor.ts";
import type { Finding } from "../../app/probe-model.ts";
import { print, printJson, table } from "../output.ts";
import { type CommonOptions, EXIT } from "../program.ts";
import { configOf } from "../session.ts";

const LOOKS = { ok: "green", warning: "yellow", broken: "red" } as const;

/** `atlas doctor`. */
export async function doctor(options: CommonOptions): Promise<void> {
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
