import { type Atlas, type OpenOptions, openConfigured } from "../app/open-atlas.ts";
import { openLogAlone } from "../app/open-store.ts";
import type { AtlasConfig, LogConfig } from "../configs/config-schema.ts";
import { loadConfig } from "../configs/load-config.ts";
import { explain } from "../errors/atlas-error.ts";
import type { EventLog } from "../log/event-log.ts";
import { harmless, tell } from "./output.ts";
import type { CommonOptions } from "./program.ts";

/** The configured log with another database; an embedded log has none, so the database is then the log. */
const at = (databaseUrl: string, log: LogConfig): LogConfig =>
  log.kind === "embedded"
    ? { kind: "postgres", databaseUrl, partitions: undefined }
    : { ...log, databaseUrl };

/** The configuration that a command works with; what in it has no effect is told. */
export function configOf(options: CommonOptions): AtlasConfig {
  const config = loadConfig(options.config, process.env, (warning) => tell(harmless(`warning: ${warning}`)));
  const log = options.databaseUrl === undefined ? config.log : at(options.databaseUrl, config.log);
  return { ...config, log };
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
  try {
    // A consumer that stopped as unhealthy must not leave a command waiting for it.
    const failed = atlas.pipeline?.done.then(() => new Promise<never>(() => undefined));
    return await (failed === undefined ? body(atlas) : Promise.race([body(atlas), failed]));
  } finally {
    await atlas.close();
  }
}

/** Opens the log alone, without anything that would add to it. */
export async function withLog<T>(options: CommonOptions, body: (log: EventLog) => Promise<T>): Promise<T> {
  const { log, close } = await openLogAlone(configOf(options).log);
  try {
    return await body(log);
  } finally {
    await close();
  }
}
