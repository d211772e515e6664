import { CLOSE_MS, closeInTime } from "../app/close-in-time.ts";
import { type Atlas, type OpenOptions, openConfigured } from "../app/open-atlas.ts";
import { openLogAlone } from "../app/open-store.ts";
import type { AtlasConfig, LogConfig } from "../configs/config-schema.ts";
import { loadConfig } from "../configs/load-config.ts";
import { explain } from "../errors/atlas-error.ts";
import type { EventLog } from "../log/event-log.ts";
import { tell } from "./output.ts";
import type { CommonOptions } from "./program.ts";

/** The configured log with another database; an embedded log has none, so the database is then the log. */
const at = (databaseUrl: string, log: LogConfig): LogConfig =>
  log.kind === "embedded"
    ? { kind: "postgres", databaseUrl, partitions: undefined }
    : { ...log, databaseUrl };

/** The configuration that a command works with; what in it has no effect is told. */
export function configOf(options: CommonOptions): AtlasConfig {
  const config = loadConfig(options.config, process.env, (warning) => tell(`warning: ${warning}`));
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

/** Opens what a command works on, runs it, and closes it again whatever happens. */
export async function withAtlas<T>(
  options: CommonOptions,
  body: (atlas: Atlas) => Promise<T>,
  open: OpenOptions = {},
): Promise<T> {
  const atlas = await openConfigured(configOf(options), {
    onDeadLetter: (group, record, error) => {
      tell(`${group} set ${record.topic}[${record.partition}]@${record.offset} aside. ${explain(error)}`);
    },
    ...open,
  });
  let hasFailed = true;
  try {
    // A consumer that stopped as unhealthy must not leave a command waiting for it.
    const failed = atlas.pipeline?.done.then(() => new Promise<never>(() => undefined));
    const result = await (failed === undefined ? body(atlas) : Promise.race([body(atlas), failed]));
    hasFailed = false;
    return result;
  } finally {
    await closeSoon((timeoutMs) => atlas.close({ timeoutMs }), hasFailed);
  }
}

/** Opens the log alone, without anything that would add to it. */
export async function withLog<T>(options: CommonOptions, body: (log: EventLog) => Promise<T>): Promise<T> {
  const { log, close } = await openLogAlone(configOf(options).log);
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
