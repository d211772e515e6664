import type { Apply } from "../../log/event-log.ts";
import type { Starts } from "../../log/runner/group-starts.ts";
import type { Topic } from "../../schemas/topics.ts";
import { silenceOf } from "../alerts/news.ts";
import type { WorkerMetrics } from "./worker-metrics.ts";

/** The group that counts rewards and drift alerts. */
export const METRICS = "metrics";

/** What it reads. */
export const METRIC_TOPICS = ["atlas.rewards", "atlas.drift"] as const satisfies readonly Topic[];

/** What is older is an import or a copy: a week, as for alerts. */
const MAX_AGE_HOURS = 168;

/**
 * Counts what is news. A unit that fails and is tried again counts once: a record is counted the first time that this
 * process sees its place.
 */
export function metricsConsumer(metrics: Pick<WorkerMetrics, "observe">, starts: Starts): Apply {
  const counted = new Map<string, number>();
  return async (batch) => {
    for (const record of batch) {
      const place = `${record.topic}/${record.partition}`;
      if (record.offset <= (counted.get(place) ?? -1)) continue;
      counted.set(place, record.offset);
      if (silenceOf(record, starts, MAX_AGE_HOURS) === undefined) metrics.observe(record.event);
    }
  };
}
