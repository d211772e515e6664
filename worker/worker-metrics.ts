import { type ConsumerEvents, consumerEvents, tellStop } from "../app/consumer-events.ts";
import type { Atlas } from "../app/open-atlas.ts";
import { STAGES } from "../derivation/stage-list.ts";
import type { Consumer, EventLog } from "../log/event-log.ts";
import { startsOf } from "../log/runner/group-starts.ts";
import { JUDGING_TOPICS } from "../reactors/judging/judging-consumer.ts";
import { LIVE_TOPICS } from "../sinks/jsonl/live-sink.ts";
import { METRIC_TOPICS, METRICS, metricsConsumer } from "../sinks/metrics/metrics-consumer.ts";
import { createWorkerMetrics } from "../sinks/metrics/worker-metrics.ts";
import { type OwnedGroup, stateReader } from "../sinks/metrics/worker-state.ts";
import { boundedLook, type LookLimits } from "./bounded-look.ts";

/** How to measure a worker. */
export interface WorkerMetricsOptions extends ConsumerEvents {
  /** Learning keys that rewards and drift alerts are told apart by. */
  learningKeys?: readonly string[];
  /** How many things are wrong with the log; none unless told. */
  broken?: () => number;
  /** For how long counts of sessions are good enough, in milliseconds; 15,000 unless told. */
  keepMs?: number;
  /** How long a look at the log may take. */
  limits?: LookLimits;
}

/** A worker that is measured. */
export interface MeasuredWorker {
  readonly contentType: string;
  readonly consumer: Consumer;
  /** Counts an attempt to deliver an alert. */
  delivery(destination: string, outcome: string): void;
  /** The metrics as Prometheus reads them; what this process knows by itself also while the log does not answer. */
  scrape(): Promise<string>;
  stop(): Promise<void>;
}

/** Every group that a worker is a member of, with what it owns. */
export function groupsOf({ host }: Pick<Atlas, "host">): OwnedGroup[] {
  const consumers = host?.pipeline.consumers ?? [];
  const stages = (host?.pipeline.stages ?? STAGES).map(({ group, topics }) => ({
    group,
    topics,
    assignments: consumers.find((consumer) => consumer.group === group)?.assignments ?? [],
  }));
  const sinks = [
    [host?.alerting, host?.alerting?.topics ?? []],
    [host?.liveDataset, LIVE_TOPICS],
    [host?.judging, JUDGING_TOPICS],
  ] as const;
  return [
    ...stages,
    ...sinks.flatMap(([sink, topics]) => {
      if (sink === undefined) return [];
      const { group, assignments } = sink.consumer;
      return [{ group, topics, assignments }];
    }),
  ];
}

/** Measures a worker: counts rewards and drift alerts from now on, and looks the rest up when it is asked. */
export async function measureWorker(
  atlas: Pick<Atlas, "log" | "db" | "config" | "host">,
  { learningKeys = [], broken = () => 0, keepMs, limits, ...events }: WorkerMetricsOptions = {},
): Promise<MeasuredWorker> {
  const log: EventLog = atlas.log;
  const destinations = atlas.config.alerts.map(({ name }) => name);
  const metrics = createWorkerMetrics({ learningKeys, destinations });
  const consumer = await log.consume(
    { group: METRICS, topics: METRIC_TOPICS, ...consumerEvents(METRICS, events) },
    metricsConsumer(metrics, await startsOf(log, METRICS, METRIC_TOPICS)),
  );
  tellStop(consumer, events.logger);
  const owned = (): OwnedGroup[] => [
    ...groupsOf(atlas),
    { group: METRICS, topics: METRIC_TOPICS, assignments: consumer.assignments },
  ];
  const look = boundedLook(stateReader(log, owned, keepMs), limits);
  return {
    contentType: metrics.contentType,
    consumer,
    delivery: metrics.delivery,
    scrape: async () => {
      const seen = await look();
      return metrics.render("value" in seen ? seen.value : undefined, broken());
    },
    stop: () => consumer.stop(),
  };
}
