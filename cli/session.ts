import { type Atlas, type ConfiguredOptions, openConfigured } from "../app/open-atlas.ts";
import { openLogAlone } from "../app/open-store.ts";
import { userPartsOf } from "../app/user-parts.ts";
import type { AtlasConfig, LogConfig } from "../configs/config-schema.ts";
import { loadConfig } from "../configs/load-config.ts";
import { eventsOf } from "../derivation/user-parts.ts";
import { CLOSE_MS, closeInTime } from "../errors/close-in-time.ts";
import type { EventLog } from "../log/event-log.ts";
import { guardLogger } from "../logging/guard-logger.ts";
import { lineLogger } from "../logging/line-logger.ts";
import type { Logger } from "../logging/logger.ts";
import { compileOnce } from "./compile-once.ts";
import { tell } from "./output.ts";
import type { CommonOptions } from "./program.ts";

/** The configured log with another database; an embedded log has none, so the database is then the log. */
const at = (databaseUrl: string, log: LogConfig): LogConfig =>
  log.kind === "embedded"
    ? { kind: "postgres", databaseUrl, partitions: undefined }
    : { ...log, databaseUrl };

/** What commands log to: people read warnings beside what they asked for. */
const commandLogger = (): Logger => lineLogger({ format: "text", level: "warn", write: tell });

/** The configuration that a command works with; what in it has no effect is told. */
export function configOf(options: CommonOptions, logger: Logger = commandLogger()): AtlasConfig {
  const says = guardLogger(logger).of("config");
  const config = loadConfig(options.config, process.env, (warning) =>
    says.warn({ code: "ATLAS_CONFIG_IGNORED" }, warning),
  );
  const log = options.databaseUrl === undefined ? config.log : at(options.databaseUrl, config.log);
  return { ...config, log };
}

/** How long closing may take after work that failed: a database that hangs is often why it did. */
const FAILED_CLOSE_MS = 5_000;
/** How long what comes after closing may take, where something hangs that would keep the process alive. */
const REST_MS = 1_000;

/** Closes what a command worked on, and makes sure that the process ends then. */
async function closeSoon(close: (timeoutMs: number) => Promise<void>, hasFailed: boolean): Promise<void> {
  const timeoutMs = hasFailed || process.exitCode ? FAILED_CLOSE_MS : CLOSE_MS;
  const begun = performance.now();
  await close(timeoutMs);
  if (performance.now() - begun >= timeoutMs) setTimeout(() => process.exit(), REST_MS).unref();
}

/** For commands that only ask: where the consumers have applied all there is, nothing is started that nothing needs. */
export const READING = { consumers: "when-behind" } as const;

/** How a command opens what it works on. */
export interface Opening extends ConfiguredOptions {
  /** It may keep the database busy for long. */
  bulk?: boolean;
}

/** Opens what a command works on, runs it, and closes it again whatever happens. */
export async function withAtlas<T>(
  options: CommonOptions,
  body: (atlas: Atlas) => Promise<T>,
  { bulk = false, ...open }: Opening = {},
): Promise<T> {
  if (!bulk) compileOnce();
  const { logger = commandLogger() } = open;
  const atlas = await openConfigured(configOf(options, logger), { ...open, logger });
  let hasFailed = true;
  try {
    // A consumer that stopped as unhealthy must not leave a command waiting for it.
    const failed = atlas.host?.pipeline.done.then(() => new Promise<never>(() => undefined));
    const result = await (failed === undefined ? body(atlas) : Promise.race([body(atlas), failed]));
    hasFailed = false;
    return result;
  } finally {
    await closeSoon((timeoutMs) => atlas.close({ timeoutMs }), hasFailed);
  }
}

/** Opens the log alone, without anything that would add to it. */
export async function withLog<T>(options: CommonOptions, body: (log: EventLog) => Promise<T>): Promise<T> {
  const config = configOf(options);
  const { log, close } = await openLogAlone(config.log, undefined, eventsOf(await userPartsOf(config)));
  let hasFailed = true;
  try {
    const result = await body(log);
    hasFailed = false;
    return result;
  } finally {
    await closeSoon(async (timeoutMs) => {
      if (!(await closeInTime(close(), timeoutMs)))
        tell(`${log.address} hangs, so closing was given up; nothing is lost that was confirmed`);
    }, hasFailed);
  }
}
