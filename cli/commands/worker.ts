import { AtlasError } from "../../errors/atlas-error.ts";
import { guardLogger } from "../../logging/guard-logger.ts";
import { createScorer } from "../../worker/score/scorer.ts";
import { watchLog } from "../../worker/watch-log.ts";
import { type MeasuredWorker, measureWorker } from "../../worker/worker-metrics.ts";
import { serveWorker } from "../../worker/worker-server.ts";
import { WorkerStatus } from "../../worker/worker-status.ts";
import { type CommonOptions, EXIT, interruptSignal, ToldError } from "../program.ts";
import { withAtlas } from "../session.ts";
import { type WorkerLogOptions, workerLogger } from "../worker-logger.ts";

interface Options extends CommonOptions, WorkerLogOptions {
  quiet?: boolean;
  host: string;
  port: string;
  labelLearningKey: string[];
}

const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

function addressOf({ host, port }: Pick<Options, "host" | "port">): { host: string; port: number } {
  const number = Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(port)} is not a port`, {
      where: "--port",
      hint: "Use 0 to 65535.",
    });
  }
  return { host, port: number };
}

/** `atlas worker`. */
export async function work(options: Options): Promise<void> {
  const address = addressOf(options);
  const port = workerLogger(options);
  const logger = guardLogger(port);
  const says = logger.of("worker");
  const signal = interruptSignal();
  const status = new WorkerStatus();
  const onRetry = (group: string, error: unknown | undefined): void => status.retry(group, error);
  let measured: MeasuredWorker | undefined;
  await withAtlas(
    options,
    async (atlas) => {
      const { pipeline, alerting, liveDataset, judging } = atlas.host!;
      status.watch(pipeline.done);
      for (const sink of [alerting, liveDataset, judging])
        if (sink !== undefined) status.watch(sink.consumer.done);
      measured = await measureWorker(atlas, {
        broken: () => status.broken,
        learningKeys: options.labelLearningKey,
        onRetry,
        logger,
      });
      status.watch(measured.consumer.done);
      const watch = watchLog(atlas.log, { status, logger });
      try {
        const server = await serveWorker(address, {
          health: () => status.health(atlas),
          metrics: measured,
          score: { score: createScorer(atlas.config), limits: atlas.config.score, logger },
          token: process.env["ATLAS_WORKER_TOKEN"]?.trim() || undefined,
          loopback: LOOPBACK.includes(address.host),
        });
        const open = LOOPBACK.includes(address.host) ? "" : " (open to the network)";
        says.info(
          { code: "ATLAS_WORKER_STARTED", url: server.url },
          `Consuming ${atlas.log.address}; health at ${server.url}/healthz, metrics at ${server.url}/metrics, scores at ${server.url}/score${open}`,
        );
        try {
          await new Promise<void>((resolve) => {
            if (signal.aborted) resolve();
            signal.addEventListener("abort", () => resolve(), { once: true });
          });
          says.info({ code: "ATLAS_WORKER_STOPPING" }, "Finishing the work under way …");
        } finally {
          await server.close();
        }
      } finally {
        await watch.stop();
        await measured.stop();
      }
    },
    {
      bulk: true,
      consumers: true,
      consumerSpans: true,
      onRetry,
      onDelivery: (destination, outcome) => {
        measured?.delivery(destination, outcome);
      },
      logger: port,
    },
  ).catch((error: unknown) => {
    says.error({ code: "ATLAS_WORKER_FAILED", err: error }, "the worker ended");
    throw new ToldError(error);
  });
  process.exitCode = EXIT.ok;
}
