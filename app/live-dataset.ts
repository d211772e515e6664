import type { AtlasConfig } from "../configs/config-schema.ts";
import type { ConsumeOptions, Consumer, EventLog } from "../log/event-log.ts";
import { createLiveSink, type LiveSink } from "../sinks/jsonl/live-sink.ts";

/** The process's part in writing approved sessions as they are approved. */
export interface LiveDataset {
  readonly consumer: Consumer;
  stop(): Promise<void>;
}

type LiveDatasetConfig = NonNullable<AtlasConfig["liveDataset"]>;

/** The sink of a configuration. */
export const liveSinkOf = ({ path, rotateMb }: LiveDatasetConfig): LiveSink =>
  createLiveSink({ folder: path, rotateBytes: rotateMb * 1024 * 1024 });

/**
 * Starts writing approved sessions to the configured folder.
 *
 * @param log with a database, whose read models some process fills
 */
export async function startLiveDataset(
  log: EventLog,
  config: LiveDatasetConfig,
  options: Pick<ConsumeOptions, "onRetry" | "onDeadLetter"> = {},
): Promise<LiveDataset> {
  const sink = liveSinkOf(config);
  const { group, topics, forget, apply } = sink;
  const consumer = await log.consume({ ...options, group, topics, onAssignmentChange: forget }, apply);
  return {
    consumer,
    stop: async () => {
      await consumer.stop();
      await sink.close();
    },
  };
}
