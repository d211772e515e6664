import { type Command, Option } from "commander";
import { TRIAGE_TEMPLATES } from "../../configs/triage-starter.ts";
import { lazily } from "../program.ts";

const commands = () => import("../commands/triage.ts");

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
    .action(lazily(async () => (await commands()).init));
}
