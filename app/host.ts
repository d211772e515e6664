import type { AtlasConfig } from "../configs/config-schema.ts";
import type { RulesStore } from "../derivation/rules.ts";
import type { UserParts } from "../derivation/user-parts.ts";
import type { Apply, EventLog } from "../log/event-log.ts";
import { versionOfGroup } from "../log/runner/versions.ts";
import type { Projection } from "../projections/define-projection.ts";
import type { CourierEvents } from "../sinks/alerts/courier.ts";
import { LIVE_JSONL } from "../sinks/jsonl/live-sink.ts";
import { type Alerting, retryingSinks, startAlerting } from "./alerting.ts";
import { type ConsumerEvents, tellStop } from "./consumer-events.ts";
import { type LiveDataset, liveSinkOf, startLiveDataset } from "./live-dataset.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";
import { promotesBySelf, startPromotion } from "./promotion.ts";
import { type ReaperOptions, startReaper } from "./reaper.ts";
import { type DeferredJudging, type JudgingConfig, retryingJudging, startJudging } from "./start-judging.ts";

/** What the consumers of a process tell while they run. */
export interface HostEvents extends ConsumerEvents {
  /** Called after each attempt to deliver an alert. */
  onDelivery?: CourierEvents["onDelivery"];
}

/** Everything that one process consumes. */
export interface Host {
  /** Processors and read models. */
  readonly pipeline: Pipeline;
  /** Where destinations are configured. */
  readonly alerting: Alerting | undefined;
  /** Where a folder for it is configured. */
  readonly liveDataset: LiveDataset | undefined;
  /** Where judges are asked after the run. */
  readonly judging: DeferredJudging | undefined;
  stop(): Promise<void>;
}

/** What a host needs of a configuration. */
type HostConfig = Pick<AtlasConfig, "alerts" | "liveDataset" | "promotion" | "log"> & JudgingConfig;

/** Whether a group is a version of a processor: versions of read models answer nobody. */
const isVersion = (group: string, parts: UserParts<Projection> | undefined): boolean =>
  versionOfGroup(group) !== undefined && parts?.projections.every((one) => one.group !== group) !== false;

/** Starts everything that a configuration has a process consume, and the reaper of sessions whose process died. */
export async function startHost(
  log: EventLog,
  rules: RulesStore,
  config: HostConfig,
  { parts, ...events }: HostEvents & { parts?: UserParts<Projection> },
  reaping: ReaperOptions,
): Promise<Host> {
  const { alerts, liveDataset, judges } = config;
  const { logger } = events;
  // The process is the caller's: it ends when the caller's work does.
  const background: EventLog = {
    ...log,
    consume: (options, apply) => log.consume({ ...options, background: true }, apply),
  };
  const stops: (() => Promise<void>)[] = [];
  const started = <T extends { stop(): Promise<void> }>(part: T): T => {
    stops.unshift(() => part.stop());
    return part;
  };
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0)) await end();
  };
  try {
    // Before anything is derived: what is derived from now on is news.
    const alerting =
      alerts.length === 0 ? undefined : started(await startAlerting(background, alerts, events));
    const live =
      liveDataset === undefined
        ? undefined
        : started(await startLiveDataset(background, liveDataset, events));
    const pipeline = started(await startPipeline(background, rules, events, parts));
    const versions = pipeline.stages.map(({ group }) => group).filter((group) => isVersion(group, parts));
    started(startPromotion(log, versions, { automatic: promotesBySelf(config), logger }));
    started(startReaper(log, pipeline, { ...reaping, ...(logger !== undefined && { logger }) }));
    const judging =
      judges?.mode === "deferred"
        ? started(await startJudging(background, rules, config, events))
        : undefined;
    const sinks = [alerting, live, judging].flatMap((sink) => sink?.consumer ?? []);
    for (const consumer of [...pipeline.consumers, ...sinks]) tellStop(consumer, logger);
    return { pipeline, alerting, liveDataset: live, judging, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What applies a record to a configured sink, by group: for records that were set aside and are tried again. */
export async function sinkConsumers(
  log: EventLog,
  { alerts, liveDataset }: Pick<AtlasConfig, "alerts" | "liveDataset">,
): Promise<Record<string, Apply>> {
  const live = liveDataset === undefined ? {} : { [LIVE_JSONL]: liveSinkOf(liveDataset).apply };
  return { ...(await retryingSinks(log, alerts)), ...retryingJudging, ...live };
}
