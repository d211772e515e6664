import type { Command } from "commander";
import { lazily, withCommonOptions } from "../program.ts";

const commands = () => import("../commands/doctor.ts");

/** `atlas doctor`. */
export function doctorCommand(program: Command): void {
  withCommonOptions(program.command("doctor"))
    .description("look at keys (names only), models, database, registry, log, lock and consumers")
    .addHelpText("after", "\nExit code 1 when something is broken. No prompt is sent to a model.")
    .action(lazily(async () => (await commands()).doctor));
}
