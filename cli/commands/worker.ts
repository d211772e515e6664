import { type Command, Option } from "commander";
import { serveHealth, WorkerStatus } from "../../app/worker.ts";
import { AtlasError, explain } from "../../errors/atlas-error.ts";
import { tell } from "../output.ts";
import { type CommonOptions, EXIT, interruptSignal, withCommonOptions } from "../program.ts";
import { withAtlas } from "../session.ts";

interface Options extends CommonOptions {
  host: string;
  port: string;
}

const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

function addressOf({ host, port }: Options): { host: string; port: number } {
  const number = Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(port)} is not a port`, {
      where: "--port",
      hint: "Use 0 to 65535.",
    });
  }
  return { host, port: number };
}

async function work(options: Options): Promise<void> {
  const address = addressOf(options);
  const signal = interruptSignal();
  const status = new WorkerStatus();
  const say = (line: string): void => {
    if (options.quiet !== true) tell(line);
  };
  await withAtlas(
    options,
    async (atlas) => {
      const pipeline = atlas.pipeline!;
      pipeline.done.catch((error: unknown) => {
        status.problem = error;
      });
      const server = await serveHealth(address, () => status.health(atlas.log, pipeline));
      say(
        `Consuming ${atlas.log.address}; health at ${server.url}/healthz${LOOPBACK.includes(address.host) ? "" : " (open to the network)"}`,
      );
      try {
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
        say("Finishing the work under way …");
      } finally {
        await server.close();
      }
    },
    {
      consumers: true,
      onRetry: (group, error) => {
        status.retry(group, error);
        if (error !== undefined) say(`${group} waits: ${explain(error)}`);
      },
    },
  );
  process.exitCode = EXIT.ok;
}

/** `atlas worker`. */
export function workerCommand(program: Command): void {
  withCommonOptions(program.command("worker"))
    .description("run the consumers (processors and read models) until SIGTERM or Ctrl-C")
    .addOption(
      new Option("--host <address>", "address of the health endpoint")
        .default("127.0.0.1")
        .env("ATLAS_WORKER_HOST"),
    )
    .addOption(
      new Option("--port <port>", "port of the health endpoint").default("9464").env("ATLAS_WORKER_PORT"),
    )
    .action(work);
}
