import { type Command, Option } from "commander";
import { lazily, withCommonOptions } from "../program.ts";
import { workerLogOptions } from "../worker-logger.ts";

const commands = () => import("../commands/worker.ts");

/** `atlas worker`. */
export function workerCommand(program: Command): void {
  const command = withCommonOptions(program.command("worker"))
    .description("run the consumers (processors and read models) until SIGTERM or Ctrl-C")
    .addOption(
      new Option("--host <address>", "address of /livez, /readyz, /healthz, /metrics and /score")
        .default("127.0.0.1")
        .env("ATLAS_WORKER_HOST"),
    )
    .addOption(new Option("--port <port>", "port of them").default("9464").env("ATLAS_WORKER_PORT"))
    .addOption(
      new Option(
        "--label-learning-key <key...>",
        "learning keys that metrics of rewards and drift tell apart; all others share a label",
      ).default([], "none"),
    )
    .action(lazily(async () => (await commands()).work));
  for (const option of workerLogOptions()) command.addOption(option);
}
