import type { SessionRewarded } from "../schemas/generated/events.ts";
import type { DriftMetricName } from "../schemas/rules.ts";

/** The scale on which a metric is held against others: what multiplies a cost, a log turns into what adds to it. */
export type Scale = "linear" | "log";

interface MetricScale {
  scale: Scale;
  /** A greater value is better. */
  upIsBetter: boolean;
  /** On a log scale: smaller values count as this. */
  least: number;
}

/** How each metric is read. Below ten tokens, or a second, a ratio says nothing. */
export const METRIC_SCALES: Record<DriftMetricName, MetricScale> = {
  score: { scale: "linear", upIsBetter: true, least: 0 },
  uncertainty: { scale: "linear", upIsBetter: false, least: 0 },
  tokens: { scale: "log", upIsBetter: false, least: 10 },
  duration: { scale: "log", upIsBetter: false, least: 1 },
};

/** A session's metrics in their own units: points, points, tokens, seconds. */
export type MetricValues = Partial<Record<DriftMetricName, number>>;

/** What is known of a rewarded session, as far as it is a finite number. */
export function metricValues({ score, statistics, tokens, duration_us }: SessionRewarded): MetricValues {
  const known: MetricValues = {};
  const add = (name: DriftMetricName, value: number | null | undefined): void => {
    if (value !== null && value !== undefined && Number.isFinite(value)) known[name] = value;
  };
  add("score", score);
  add("uncertainty", statistics.uncertainty_mean);
  add("tokens", tokens);
  add("duration", duration_us === null || duration_us === undefined ? duration_us : duration_us / 1e6);
  return known;
}

/** A value as it is compared. */
export function scaled(name: DriftMetricName, value: number): number {
  const { scale, least } = METRIC_SCALES[name];
  return scale === "log" ? Math.log(Math.max(value, least)) : value;
}

/** A compared value in the metric's own unit again. */
export const unscaled = (name: DriftMetricName, value: number): number =>
  METRIC_SCALES[name].scale === "log" ? Math.exp(value) : value;

/** Whether a change of a metric upwards (above 0) or downwards is a good one. */
export const directionOf = (name: DriftMetricName, change: number): "improvement" | "decline" =>
  METRIC_SCALES[name].upIsBetter === change > 0 ? "improvement" : "decline";
