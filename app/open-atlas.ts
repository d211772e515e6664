import type { AtlasConfig, ConfigInput } from "../configs/config-schema.ts";
import { loadConfig } from "../configs/load-config.ts";
import type { Database } from "../database/database.ts";
import { openRules, type RulesStore } from "../derivation/rules.ts";
import { type SettleOptions, settle } from "../derivation/stages.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import type { EventLog } from "../log/event-log.ts";
import { held } from "../log/held.ts";
import { type GuardedLogger, guardLogger } from "../logging/guard-logger.ts";
import type { Logger } from "../logging/logger.ts";
import { defaultLogger } from "../logging/process-warnings.ts";
import { type RunResult, runSession } from "../producers/run-session.ts";
import { createFlusher } from "../recording/flusher.ts";
import type { DrainReport } from "../recording/spool/drain-spools.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import type { Mask } from "../schemas/masked.ts";
import { openTelemetry } from "../sinks/telemetry/telemetry.ts";
import { type Datasets, datasetsOf } from "./api/datasets.ts";
import {
  type Alerts,
  alertsOf,
  type DeadLetters,
  deadLettersOf,
  type SpoolFolder,
  spoolOf,
} from "./api/maintenance.ts";
import type { OpenParts } from "./api/open-parts.ts";
import { type Reviews, reviewsOf } from "./api/reviews.ts";
import { type Drift, driftOf, type Rewards, rewardsOf } from "./api/rewards.ts";
import { type Sessions, sessionsOf } from "./api/sessions.ts";
import { maskError, maskOf, spoolFolderOf } from "./capture.ts";
import { closedAtExit } from "./close-at-exit.ts";
import { CLOSE_MS, closeInTime } from "./close-in-time.ts";
import { type Host, type HostEvents, startHost } from "./host.ts";
import { readHistory } from "./learning-history.ts";
import { openStore } from "./open-store.ts";
import { type RebuildOptions, type RebuildSummary, rebuild } from "./rebuild.ts";
import { type RunOptions, runResolver } from "./run-options.ts";

/** How to open Atlas. */
export interface OpenOptions extends Omit<HostEvents, "logger"> {
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
   * states of processors anew that an earlier version wrote, and the derived events again from the primary ones, and
   * holds these against the log.
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

const loggerOf = ({ logger }: OpenOptions): GuardedLogger =>
  logger === undefined ? defaultLogger : guardLogger(logger);

/**
 * Opens Atlas: the log and read models of a configuration, and, unless that is Kafka, the consumers between them.
 *
 * @param source a YAML file, a configuration, or nothing for what the environment says, else the folder `.atlas/`
 * @throws AtlasError ATLAS_CONFIG_INVALID, ATLAS_CONFIG_NOT_FOUND, ATLAS_LOG_HELD, ATLAS_LOG_UNREACHABLE,
 *   ATLAS_DATABASE_UNREACHABLE
 * @example
 * await using atlas = await openAtlas();
 * const result = await atlas.run({ task: "Find the bug", agent: openaiAgent({ model: "gpt-5.4-mini" }) });
 */
export async function openAtlas(source?: string | ConfigInput, options: OpenOptions = {}): Promise<Atlas> {
  const says = loggerOf(options).of("config");
  const config = loadConfig(source, process.env, (warning) =>
    says.warn({ code: "ATLAS_CONFIG_IGNORED" }, warning),
  );
  return openConfigured(config, options);
}

/** {@link openAtlas} for a configuration that is loaded already. */
export async function openConfigured(config: AtlasConfig, options: OpenOptions = {}): Promise<Atlas> {
  const logger = loggerOf(options);
  const store = await openStore(config.log, maskOf(config, options.mask));
  const { log, db } = store;
  const rules = openRules(log);
  const parts: OpenParts = { config, log, db, rules, logger };
  const folder = spoolFolderOf(config);
  const spool = spoolOf(parts);
  // Before the reaper looks: what is in the spool may be the end of a session.
  if (options.consumers !== false) await spool.drain().then(...tellers(logger));
  const flusher = createFlusher(log, { logger, spool: { folder, logId: log.id } });
  let host: Host | undefined;
  try {
    if (options.consumers ?? log.kind !== "kafka")
      host = await startHost(
        log,
        rules,
        config,
        { ...options, logger },
        { isHolding: () => flusher.spooled > 0 },
      );
  } catch (error) {
    await store.close();
    throw error;
  }
  const resolveRun = runResolver(config, readHistory(db, logger), logger);
  const telemetry = await openTelemetry(process.env, logger);
  const running = new Set<Promise<unknown>>();

  const closeAll = closedAtExit(async () => {
    await Promise.allSettled(running);
    await flusher.close();
    await telemetry?.close();
    await host?.stop();
    await store.close();
  });

  const runOnce = async (run: RunOptions): Promise<RunResult> => {
    const asksModel = run.judge !== undefined || run.judges?.some(({ kind }) => kind === "model") === true;
    if (asksModel && config.capture.level !== "full") {
      const message = `the capture level ${config.capture.level} hides from the judge what it would judge`;
      throw new AtlasError("ATLAS_RUN_INVALID", message, {
        hint: "Run without a judge of your own, or capture in full.",
      });
    }
    const { onEvent } = run;
    const spans = telemetry?.session();
    const observed =
      spans === undefined
        ? run
        : {
            ...run,
            onEvent(event: AtlasEvent) {
              spans.add(event);
              return onEvent?.(event);
            },
          };
    const { rules: weighed, ...resolved } = await resolveRun(observed);
    const rulesHash = await rules.ensure(weighed);
    const result = await runSession({ ...resolved, flusher, logger, rulesHash });
    spans?.end();
    if (result.error !== undefined) result.error = maskError(result.error, log.mask);
    const durable = held(result.durable).finally(() => running.delete(durable));
    durable.catch(() => undefined);
    running.add(durable);
    return result;
  };
  const close = async ({ timeoutMs = CLOSE_MS }: { timeoutMs?: number } = {}): Promise<void> => {
    if (await closeInTime(closeAll(), timeoutMs)) return;
    const waits = `what it did not take waits in ${folder}, if there is anything, until Atlas is opened again`;
    process.emitWarning(
      `${log.address} hangs, so closing was given up after ${timeoutMs / 1000} s; ${waits}`,
      {
        code: "ATLAS_CLOSE_GIVEN_UP",
      },
    );
  };

  const sessions = sessionsOf(parts);
  return {
    config,
    log,
    db,
    rules,
    host,
    sessions,
    reviews: reviewsOf(parts, sessions),
    rewards: rewardsOf(parts),
    drift: driftOf(parts),
    datasets: datasetsOf(parts),
    alerts: alertsOf(parts),
    deadLetters: deadLettersOf(parts),
    spool,
    run: (run) => held(runOnce(run)),
    rebuild: (rebuilding) => held(rebuild(parts, rebuilding)),
    settled: (settling) => held(settle(log, settling)),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

/** Tells what became of the spool. That it could not be drained is no reason not to open. */
function tellers(logger: GuardedLogger): [(report: DrainReport) => void, (error: unknown) => void] {
  const says = logger.of("spool");
  const told = ({ events, kept }: DrainReport): void => {
    if (events > 0) says.info({ code: "ATLAS_SPOOL_DRAINED", events }, "took events out of the spool");
    for (const { path, why, inUse } of kept)
      if (inUse !== true) says.warn({ code: "ATLAS_SPOOLED", path }, `a file stays in the spool: ${why}`);
  };
  const failed = (error: unknown): void =>
    says.warn({ code: "ATLAS_SPOOLED", err: error }, "the spool was not drained");
  return [told, failed];
}
