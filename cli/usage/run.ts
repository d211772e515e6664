import type { Command } from "commander";
import { lazily, withCommonOptions } from "../program.ts";
import { withRunFlags } from "./run-options.ts";

const commands = () => import("../commands/run.ts");

/** `atlas run`. */
export function runCommand(program: Command): void {
  withRunFlags(withCommonOptions(program.command("run")))
    .description("run a task with the configured agent, or with a model that the environment offers")
    .addHelpText(
      "after",
      "\nFlags go before the configuration. --json streams the session's events as NDJSON. Exit code 1 when the session failed, 3 when only some rollouts succeeded, 130 when it was cancelled.",
    )
    .action(lazily(async () => (await commands()).run));
}
