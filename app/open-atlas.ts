import type { AtlasConfig, ConfigInput } from "../configs/config-schema.ts";
import { loadConfig } from "../configs/load-config.ts";
import type { Database } from "../database/database.ts";
import { openRules, type RulesStore } from "../derivation/rules.ts";
import { isSettled } from "../derivation/stage-list.ts";
import type { SettleOptions } from "../derivation/stages.ts";
import { eventsOf, stagesWith } from "../derivation/user-parts.ts";
import { CLOSE_MS, closeInTime } from "../errors/close-in-time.ts";
import type { EventLog } from "../log/event-log.ts";
import { held } from "../log/held.ts";
import { type GuardedLogger, guardLogger } from "../logging/guard-logger.ts";
import type { Logger } from "../logging/logger.ts";
import { defaultLogger } from "../logging/process-warnings.ts";
import type { RunResult } from "../producers/run-session.ts";
import { createFlusher } from "../recording/flusher.ts";
import { type DrainReport, drainSpools } from "../recording/spool/drain-spools.ts";
import type { Mask } from "../schemas/masked.ts";
import { openTelemetry } from "../sinks/telemetry/telemetry.ts";
import type { Datasets } from "./api/datasets.ts";
import type { Alerts, DeadLetters, SpoolFolder } from "./api/maintenance.ts";
import type { OpenParts } from "./api/open-parts.ts";
import type { Processors } from "./api/processors.ts";
import type { Reviews } from "./api/reviews.ts";
import type { Drift, Rewards } from "./api/rewards.ts";
import type { Sessions } from "./api/sessions.ts";
import { maskOf, spoolFolderOf } from "./capture.ts";
import { closedAtExit } from "./close-at-exit.ts";
import type { Host, HostEvents } from "./host.ts";
import { loadedWhenCalled, once } from "./loaded-when-called.ts";
import { openStore } from "./open-store.ts";
import { promoteIfSilent, promotesBySelf } from "./promotion.ts";
import type { RebuildOptions, RebuildSummary } from "./rebuild.ts";
import type { RunOptions } from "./run-options.ts";
import { type ProgramParts, userPartsOf } from "./user-parts.ts";

/** How to open Atlas. */
export interface OpenOptions extends Omit<HostEvents, "logger">, ProgramParts {
  /**
   * Takes what happens beside the results, such as a consumer that waits or a record that is set aside. Without one,
   * warnings and errors are warnings of the process.
   */
  logger?: Logger | undefined;
  /**
   * Host the consumers in this process; by default on the embedded log and on a Postgres server, and not on Kafka,
   * where `atlas worker` does.
   */
  consumers?: boolean;
  /**
   * Replaces what must not be written, before what the configuration's `capture` takes out; runs on every event, and
   * nothing is written when it throws.
   */
  mask?: Mask;
}

/** An open log with everything around it. */
export interface Atlas extends AsyncDisposable {
  readonly config: AtlasConfig;
  /** The events themselves; functions that take a log alone are in `atlas-sdk/log`. */
  readonly log: EventLog;
  /** Where the read models are: what `getTrainingSessions` takes. */
  readonly db: Database;
  readonly sessions: Sessions;
  readonly reviews: Reviews;
  readonly rewards: Rewards;
  readonly drift: Drift;
  readonly datasets: Datasets;
  readonly processors: Processors;
  readonly alerts: Alerts;
  readonly deadLetters: DeadLetters;
  readonly spool: SpoolFolder;
  readonly rules: RulesStore;
  /** The consumers of this process, where it hosts them. */
  readonly host: Host | undefined;
  /**
   * Runs one task as a session. Never throws for what goes wrong within the session: see `status` and `error`.
   *
   * @throws AtlasError ATLAS_RUN_INVALID
   */
  run(options: RunOptions): Promise<RunResult>;
  /**
   * Rebuilds the read models from the log beside the live ones, and swaps; with `derived` first computes the
   * derived events again from the primary ones, and holds these against the log.
   *
   * @throws AtlasError ATLAS_CONSUMER_BEHIND when consumers do not keep up
   * @example
   * const { sessions } = await atlas.rebuild();
   */
  rebuild(options?: RebuildOptions): Promise<RebuildSummary>;
  /**
   * Resolves when the consumers have applied all that the log holds now: queries see it then.
   *
   * @throws AtlasError ATLAS_CONSUMER_BEHIND
   */
  settled(options?: SettleOptions): Promise<void>;
  /**
   * Finishes the runs under way, appends what waits, and ends the consumers. What a log that hangs does not take waits in
   * the spool; closing is given up after `timeoutMs`, 30,000 unless told, and a warning with the code
   * `ATLAS_CLOSE_GIVEN_UP` says so. A process that has nothing left to do closes by itself what is still open, and ends.
   */
  close(options?: { timeoutMs?: number }): Promise<void>;
}

const loggerOf = ({ logger }: Pick<OpenOptions, "logger">): GuardedLogger =>
  logger === undefined ? defaultLogger : guardLogger(logger);

/**
 * Opens Atlas: the log and read models of a configuration, and, unless that is Kafka, the consumers between them.
 *
 * @param source a YAML file, a configuration, or nothing for what the environment says, else the folder `.atlas/`
 * @throws AtlasError ATLAS_CONFIG_INVALID, ATLAS_CONFIG_NOT_FOUND, ATLAS_LOG_HELD, ATLAS_LOG_UNREACHABLE,
 *   ATLAS_DATABASE_UNREACHABLE
 * @example
 * const atlas = await openAtlas();
 * const result = await atlas.run({ task: "Find the bug", agent: openaiAgent({ model: "gpt-5.4-mini" }) });
 * await atlas.close();
 */
export async function openAtlas(source?: string | ConfigInput, options: OpenOptions = {}): Promise<Atlas> {
  const says = loggerOf(options).of("config");
  const config = loadConfig(source, process.env, (warning) =>
    says.warn({ code: "ATLAS_CONFIG_IGNORED" }, warning),
  );
  return openConfigured(config, options);
}

/** {@link OpenOptions}, and a further way to host consumers: once there is something for them to do. */
export interface ConfiguredOptions extends Omit<OpenOptions, "consumers"> {
  /** "when-behind": {@link Atlas.settled} starts them, where they have not applied all that the log holds. */
  consumers?: boolean | "when-behind";
  /** Each unit of work of a consumer becomes a span, where OpenTelemetry is configured. */
  consumerSpans?: boolean;
}

/** What one does with an open Atlas, each noun loaded when it is first used. */
const nounsOf = (parts: OpenParts) => {
  const maintenance = once(() => import("./api/maintenance.ts"));
  const rewarding = once(() => import("./api/rewards.ts"));
  const sessions = loadedWhenCalled<Sessions>(
    async () => (await import("./api/sessions.ts")).sessionsOf(parts),
    { list: true, count: true, get: true, import: true, migrate: true, findErasable: true, erase: true },
  );
  return {
    sessions,
    reviews: loadedWhenCalled<Reviews>(
      async () => (await import("./api/reviews.ts")).reviewsOf(parts, sessions),
      { approve: true, quarantine: true, approveAll: true, quarantineAll: true, history: true },
    ),
    rewards: loadedWhenCalled<Rewards>(async () => (await rewarding()).rewardsOf(parts), {
      report: true,
      rescore: true,
      promote: true,
    }),
    drift: loadedWhenCalled<Drift>(async () => (await rewarding()).driftOf(parts), { report: true }),
    datasets: loadedWhenCalled<Datasets>(async () => (await import("./api/datasets.ts")).datasetsOf(parts), {
      build: true,
      reproduce: true,
      export: true,
    }),
    processors: loadedWhenCalled<Processors>(
      async () => (await import("./api/processors.ts")).processorsOf(parts),
      { list: true, promote: true, retire: true },
    ),
    alerts: loadedWhenCalled<Alerts>(async () => (await maintenance()).alertsOf(parts), {
      list: true,
      retry: true,
    }),
    deadLetters: loadedWhenCalled<DeadLetters>(async () => (await maintenance()).deadLettersOf(parts), {
      list: true,
      retry: true,
    }),
    rebuild: async (options?: RebuildOptions): Promise<RebuildSummary> =>
      held(import("./rebuild.ts").then(({ rebuild }) => rebuild(parts, options))),
  };
};

/**
 * {@link openAtlas} for a configuration that is loaded already. Whatever not every program needs is loaded when it is
 * asked for.
 */
export async function openConfigured(config: AtlasConfig, options: ConfiguredOptions = {}): Promise<Atlas> {
  const { consumers = true } = options;
  const logger = loggerOf(options);
  const parts = await userPartsOf(config, options);
  const store = await openStore(config.log, maskOf(config, options.mask), eventsOf(parts));
  const { log, db } = store;
  const folder = spoolFolderOf(config);
  const spool: SpoolFolder = { drain: () => held(drainSpools(folder, log)) };
  // Before the reaper looks: what is in the spool may be the end of a session.
  if (consumers !== false) await spool.drain().then(...tellers(logger));
  const rules = openRules(log);
  const flusher = createFlusher(log, { logger, spool: { folder, logId: log.id } });
  const telemetry = await openTelemetry(process.env, logger);
  const spansOfUnits: Pick<HostEvents, "onUnit"> =
    telemetry === undefined || options.consumerSpans !== true
      ? {}
      : { onUnit: (group, unit) => telemetry.unit(group, log, unit) };
  let host: Host | undefined;
  const startConsumers = once(async () => {
    const { startHost } = await import("./host.ts");
    const reaping = { isHolding: () => flusher.spooled > 0 };
    host = await startHost(log, rules, config, { ...options, ...spansOfUnits, logger, parts }, reaping);
  });
  const mayHost = log.kind !== "kafka" || options.consumers === true;
  try {
    if (mayHost && consumers === true) await startConsumers();
  } catch (error) {
    await store.close();
    throw error;
  }
  const running = new Set<Promise<unknown>>();

  const closing = logger.of("close");
  const closeAll = closedAtExit(
    async () => {
      await Promise.allSettled(running);
      await flusher.close();
      await telemetry?.close();
      await host?.stop();
      await store.close();
    },
    (error) => closing.warn({ code: "ATLAS_CLOSE_FAILED", err: error }, "closing failed"),
  );
  const close = async ({ timeoutMs = CLOSE_MS }: { timeoutMs?: number } = {}): Promise<void> => {
    if (await closeInTime(closeAll(), timeoutMs)) return;
    const waits = `what it did not take waits in ${folder}, if there is anything, until Atlas is opened again`;
    closing.warn(
      { code: "ATLAS_CLOSE_GIVEN_UP" },
      `${log.address} hangs, so closing was given up after ${timeoutMs / 1000} s; ${waits}`,
    );
  };

  const runner = once(async () => {
    const { runnerOf } = await import("./runner.ts");
    return runnerOf({ config, db, rules, flusher, telemetry, mask: log.mask, logger });
  });
  const run = async (asked: RunOptions): Promise<RunResult> => {
    const result = await (await runner())(asked);
    const durable = held(result.durable).finally(() => running.delete(durable));
    durable.catch(() => undefined);
    running.add(durable);
    return result;
  };
  /** What a version says that is promoted by itself is waited for. */
  const promoting = (signal?: AbortSignal): Pick<SettleOptions, "afterStage"> =>
    host === undefined || !promotesBySelf(config)
      ? {}
      : { afterStage: (group) => promoteIfSilent(log, group, signal) };
  const settled = async (settling?: SettleOptions): Promise<void> => {
    if (await isSettled(log, stagesWith(parts))) return;
    if (mayHost && consumers === "when-behind") await startConsumers();
    const { settle } = await import("../derivation/stages.ts");
    // A consumer that stopped as unhealthy must not leave anybody waiting for it.
    const stopped = host?.pipeline.done.then(() => new Promise<never>(() => undefined));
    await Promise.race([
      settle(log, { ...settling, parts, ...promoting(settling?.signal) }),
      ...(stopped === undefined ? [] : [stopped]),
    ]);
  };

  return {
    ...nounsOf({ config, log, db, rules, logger, parts, settled }),
    config,
    log,
    db,
    rules,
    spool,
    get host() {
      return host;
    },
    run: (asked) => held(run(asked)),
    settled: (settling) => held(settled(settling)),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

/** Tells what became of the spool. That it could not be drained is no reason not to open. */
function tellers(logger: GuardedLogger): [(report: DrainReport) => void, (error: unknown) => void] {
  const says = logger.of("spool");
  const report = ({ events, kept }: DrainReport): void => {
    if (events > 0) says.info({ code: "ATLAS_SPOOL_DRAINED", events }, "took events out of the spool");
    for (const { path, why, inUse } of kept)
      if (inUse !== true) says.warn({ code: "ATLAS_SPOOLED", path }, `a file stays in the spool: ${why}`);
  };
  const failed = (error: unknown): void =>
    says.warn({ code: "ATLAS_SPOOLED", err: error }, "the spool was not drained");
  return [report, failed];
}
