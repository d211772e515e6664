import type { AtlasConfig } from "../configs/config-schema.ts";
import type { Consumer, EventLog } from "../log/event-log.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import { defaultLogger } from "../logging/process-warnings.ts";
import { createLiveSink, type LiveSink } from "../sinks/jsonl/live-sink.ts";
import { type ConsumerEvents, consumerEvents } from "./consumer-events.ts";

/** The process's part in writing approved sessions as they are approved. */
export interface LiveDataset {
  readonly consumer: Consumer;
  stop(): Promise<void>;
}

type LiveDatasetConfig = NonNullable<AtlasConfig["liveDataset"]>;

/** Says once that simulated sessions are left out: what is approved later is treated the same. */
function warnOnce(logger: GuardedLogger): () => void {
  const says = logger.of("live-dataset");
  let warned = false;
  return () => {
    if (warned) return;
    warned = true;
    says.warn(
      { code: "ATLAS_SIMULATED_LEFT_OUT" },
      "an approved session is simulated and not written to the live dataset, nor are others like it; " +
        "live_dataset.include_simulated writes them",
    );
  };
}

/** The sink of a configuration. */
export const liveSinkOf = (
  { path, rotateMb, includeSimulated }: LiveDatasetConfig,
  logger: GuardedLogger = defaultLogger,
): LiveSink =>
  createLiveSink({
    folder: path,
    rotateBytes: rotateMb * 1024 * 1024,
    includeSimulated,
    onLeftOut: warnOnce(logger),
  });

/**
 * Starts writing approved sessions to the configured folder.
 *
 * @param log with a database, whose read models some process fills
 */
export async function startLiveDataset(
  log: EventLog,
  config: LiveDatasetConfig,
  events: ConsumerEvents = {},
): Promise<LiveDataset> {
  const sink = liveSinkOf(config, events.logger);
  const { group, topics, forget, apply } = sink;
  const consumer = await log.consume(
    { group, topics, onAssignmentChange: forget, ...consumerEvents(group, events) },
    apply,
  );
  return {
    consumer,
    stop: async () => {
      await consumer.stop();
      await sink.close();
    },
  };
}
