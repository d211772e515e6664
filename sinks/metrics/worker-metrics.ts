import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import type { WorkerState } from "./worker-state.ts";

/** Directions that drift can have. */
const DIRECTIONS = ["decline", "improvement"];
const OUTCOMES = ["delivered", "retried", "failed"];
const OPEN = ["pending", "failed"];
const REVIEW_STATUSES = ["pending", "approved", "quarantined"];
const TENTHS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** The label of learning keys that nobody asked to see by themselves. */
const OTHER = "other";

/** What to measure. */
export interface MetricsOptions {
  /** Learning keys that rewards and drift are told apart by; all others share one label. None, and there is none. */
  learningKeys?: readonly string[];
  /** Destinations of alerts. */
  destinations?: readonly string[];
}

/** The metrics of one worker, in a registry of their own. */
export interface WorkerMetrics {
  readonly contentType: string;
  /** Counts a fact that is news. */
  observe(event: AtlasEvent): void;
  /** Counts an attempt to deliver an alert. */
  delivery(destination: string, outcome: string): void;
  /**
   * The metrics as Prometheus reads them.
   *
   * @param state undefined where the log or its database does not answer
   * @param broken how many things are wrong with the log; none unless told
   */
  render(state: WorkerState | undefined, broken?: number): Promise<string>;
}

/**
 * Creates the metrics of a worker. No label grows with what sessions contain: session ids are none, learning keys only
 * those asked for.
 *
 * @example
 * const metrics = createWorkerMetrics({ destinations: ["pager"] });
 * response.setHeader("content-type", metrics.contentType).end(await metrics.render(state));
 */
export function createWorkerMetrics(options: MetricsOptions = {}): WorkerMetrics {
  const { learningKeys = [], destinations = [] } = options;
  const registry = new Registry();
  const registers = [registry];
  const byKey = learningKeys.length === 0 ? [] : ["learning_key"];
  const keyLabel = (key: string): Record<string, string> =>
    byKey.length === 0 ? {} : { learning_key: learningKeys.includes(key) ? key : OTHER };
  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
    new Gauge({ name, help, labelNames, registers });
  const counter = (name: string, help: string, labelNames: string[]): Counter =>
    new Counter({ name, help, labelNames, registers });

  const place = ["group", "partition"];
  const up = gauge("atlas_log_up", "1 while the log and its database answer, else 0.");
  const faults = gauge(
    "atlas_log_faults",
    "Things that are wrong with the log itself, such as a topic that does not keep its records.",
  );
  const applied = counter(
    "atlas_events_applied_total",
    "Records of the log that a group has applied in the partitions that this worker owns.",
    place,
  );
  const lag = gauge(
    "atlas_consumer_lag_records",
    "Records that a group has not applied yet in the partitions that this worker owns.",
    place,
  );
  const rewards = new Histogram({
    name: "atlas_session_reward_ratio",
    help: "Rewards of sessions, 0 to 1.",
    buckets: TENTHS,
    labelNames: byKey,
    registers,
  });
  const drifts = counter("atlas_drift_alerts_total", "Sessions whose drift raised an alert.", [
    "direction",
    ...byKey,
  ]);
  const sessions = gauge("atlas_sessions", "Sessions by status, over all workers.", ["status"]);
  const review = gauge("atlas_review_sessions", "Sessions by review status, over all workers.", ["status"]);
  const letters = gauge(
    "atlas_dead_letters",
    "Records set aside by a group and not retried since, over all workers.",
    ["group"],
  );
  const outbox = gauge(
    "atlas_outbox_records",
    "Records that a group derived and the log has not taken yet, over all workers.",
    ["group"],
  );
  const attempts = counter(
    "atlas_alert_deliveries_total",
    "Attempts of this worker to deliver an alert, by outcome.",
    ["destination", "outcome"],
  );
  const open = gauge("atlas_alert_deliveries", "Alerts that are not delivered, over all workers.", [
    "destination",
    "status",
  ]);
  collectDefaultMetrics({ register: registry });

  for (const direction of DIRECTIONS)
    for (const key of byKey.length === 0 ? [OTHER] : [...learningKeys, OTHER])
      drifts.inc({ direction, ...keyLabel(key) }, 0);
  for (const destination of destinations)
    for (const outcome of OUTCOMES) attempts.inc({ destination, outcome }, 0);

  function show(state: WorkerState): void {
    for (const metric of [applied, lag, sessions, review, letters, outbox, open]) metric.reset();
    for (const { group, partition, appliedRecords, lagRecords } of state.assignments) {
      applied.inc({ group, partition }, appliedRecords);
      lag.set({ group, partition }, lagRecords);
    }
    for (const status of REVIEW_STATUSES) review.set({ status }, 0);
    for (const { status, reviewStatus, count } of state.sessions) {
      sessions.inc({ status }, count);
      review.inc({ status: reviewStatus }, count);
    }
    for (const { group } of state.assignments) outbox.set({ group }, 0);
    for (const { group, count } of state.outbox) outbox.set({ group }, count);
    for (const { group, count } of state.deadLetters) letters.set({ group }, count);
    for (const destination of destinations) for (const status of OPEN) open.set({ destination, status }, 0);
    for (const { destination, status, count } of state.deliveries) open.set({ destination, status }, count);
  }

  return {
    contentType: registry.contentType,
    observe: (event) => {
      if (event.type === "SessionRewarded") rewards.observe(keyLabel(event.learning_key), event.score);
      if (event.type === "DriftAssessed" && event.alert)
        drifts.inc({ direction: event.direction ?? "none", ...keyLabel(event.learning_key) });
    },
    delivery: (destination, outcome) => attempts.inc({ destination, outcome }),
    render: async (state, broken = 0) => {
      faults.set(broken);
      up.set(state === undefined ? 0 : 1);
      if (state !== undefined) show(state);
      return registry.metrics();
    },
  };
}
