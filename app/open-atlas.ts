import type { AtlasConfig, ConfigInput } from "../configs/config-schema.ts";
import { loadConfig } from "../configs/load-config.ts";
import type { Database } from "../database/database.ts";
import { openRules, type RulesStore } from "../derivation/rules.ts";
import { type SettleOptions, settle } from "../derivation/stages.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import { type ImportSummary, importRecorded } from "../intake/import/import-recorded.ts";
import type { EventLog } from "../log/event-log.ts";
import { type GuardedLogger, guardLogger } from "../logging/guard-logger.ts";
import type { Logger } from "../logging/logger.ts";
import { defaultLogger } from "../logging/process-warnings.ts";
import { type RunResult, runSession } from "../producers/run-session.ts";
import { createFlusher } from "../recording/flusher.ts";
import { type DrainReport, drainSpools } from "../recording/spool/drain-spools.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import type { Mask } from "../schemas/masked.ts";
import { openTelemetry } from "../sinks/telemetry/telemetry.ts";
import type { Alerting } from "./alerting.ts";
import { maskError, maskOf, spoolFolderOf } from "./capture.ts";
import { CLOSE_MS, closeInTime } from "./close-in-time.ts";
import { type Host, type HostEvents, sinkConsumers, startHost } from "./host.ts";
import { intakeInto } from "./intake-into.ts";
import { readHistory } from "./learning-history.ts";
import type { LiveDataset } from "./live-dataset.ts";
import { type MigrateOptions, migrate } from "./migrate.ts";
import { openStore } from "./open-store.ts";
import type { Pipeline } from "./pipeline.ts";
import { type RetryOptions, type RetryOutcome, retryDeadLetters } from "./retry-dead-letters.ts";
import { type RunOptions, runResolver } from "./run-options.ts";
import type { DeferredJudging } from "./start-judging.ts";

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

/** What to import. */
export interface ImportRunsOptions {
  files: readonly string[];
  learningKey?: string | undefined;
  /** When conversations without recorded times happened. */
  at?: Date | undefined;
  onProgress?: ((progress: Readonly<ImportSummary>) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** An open log with everything around it. */
export interface Atlas extends AsyncDisposable {
  readonly config: AtlasConfig;
  readonly log: EventLog;
  /** Where the read models are: what `getTrainingSessions` takes. */
  readonly db: Database;
  readonly rules: RulesStore;
  /** The consumers of this process, where it hosts them. */
  readonly pipeline: Pipeline | undefined;
  /** The alerts of this process, where it hosts the consumers and destinations are configured. */
  readonly alerting: Alerting | undefined;
  /** The files of approved sessions, where this process writes them. */
  readonly liveDataset: LiveDataset | undefined;
  /** Asks judges after the run, where this process does. */
  readonly judging: DeferredJudging | undefined;
  /**
   * Runs one task as a session. Never throws for what goes wrong within the session: see `status` and `error`.
   *
   * @throws AtlasError ATLAS_RUN_INVALID
   */
  run(options: RunOptions): Promise<RunResult>;
  /** Imports recorded conversations as the sessions they were; importing them again adds nothing. */
  importRuns(options: ImportRunsOptions): Promise<ImportSummary>;
  /**
   * Takes over the sessions of a Python SDK, from its database or a file that it exported; taking them over again
   * adds nothing.
   *
   * @throws AtlasError ATLAS_DATABASE_UNREACHABLE, ATLAS_FILE_UNREADABLE
   */
  migrate(options: MigrateOptions): Promise<ImportSummary>;
  /**
   * Appends what processes that are gone left in the spool. Opening does that too, except where `consumers` is false.
   *
   * @throws AtlasError ATLAS_LOG_UNREACHABLE and what else keeps the log from taking it: it stays in the spool
   */
  drainSpool(): Promise<DrainReport>;
  /**
   * Hands records that were set aside to the consumers that refused them, once more.
   *
   * @throws AtlasError ATLAS_DEAD_LETTER_NOT_FOUND
   */
  retryDeadLetters(options?: RetryOptions): Promise<RetryOutcome[]>;
  /**
   * Resolves when the consumers have applied all that the log holds now: queries see it then.
   *
   * @throws AtlasError ATLAS_CONSUMER_BEHIND
   */
  settled(options?: SettleOptions): Promise<void>;
  /**
   * Finishes the work under way and closes everything. What a log that hangs does not take waits in the spool; closing
   * is given up after `timeoutMs`, 30,000 unless told, and a warning with the code `ATLAS_CLOSE_GIVEN_UP` says so.
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
  const folder = spoolFolderOf(config);
  const drainSpool = (): Promise<DrainReport> => drainSpools(folder, log);
  // Before the reaper looks: what is in the spool may be the end of a session.
  if (options.consumers !== false) await drainSpool().then(...tellers(logger));
  const rules = openRules(log);
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
  const unordered = (): void => logger.of("import").warn({ code: "ATLAS_IMPORT_UNORDERED" }, UNORDERED);
  const running = new Set<Promise<unknown>>();

  const closeAll = async (): Promise<void> => {
    await Promise.allSettled(running);
    await flusher.close();
    await telemetry?.close();
    await host?.stop();
    await store.close();
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

  return {
    config,
    log,
    db,
    rules,
    pipeline: host?.pipeline,
    alerting: host?.alerting,
    liveDataset: host?.liveDataset,
    judging: host?.judging,
    run: async (run) => {
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
      const durable = result.durable.finally(() => running.delete(durable));
      durable.catch(() => undefined);
      running.add(durable);
      return result;
    },
    importRuns: async (importing) => {
      const rulesHash = await rules.ensure(config.rules);
      const { knownSequences, ...intake } = intakeInto(log, unordered, importing.signal);
      return importRecorded({ ...importing, rulesHash, log: intake, knownSequences });
    },
    migrate: async (migrating) => {
      const rulesHash = await rules.ensure(config.rules);
      return migrate(migrating, { log, rulesHash, unordered });
    },
    drainSpool,
    retryDeadLetters: async (options) => {
      const consumers = { ...(await sinkConsumers(log, config)), ...options?.consumers };
      return retryDeadLetters({ log, db, rules }, { ...options, consumers });
    },
    settled: (settling) => settle(log, settling),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

const UNORDERED =
  "no consumer keeps up: sessions are appended without waiting, and drift may compare them in another order; start `atlas worker`";

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
