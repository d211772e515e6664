import type { ConfigInput, LogConfig } from "../configs/config-schema.ts";
import { loadConfig } from "../configs/load-config.ts";
import type { CopyOptions, CopySummary } from "../log/copy/copy-records.ts";
import type { EventLog } from "../log/event-log.ts";
import { defaultLogger } from "../logging/process-warnings.ts";
import type { Mask } from "../schemas/masked.ts";
import { closedAtExit } from "./close-at-exit.ts";
import { copyLogTo } from "./copy-log.ts";
import { openLogAlone, openStore } from "./open-store.ts";

export type { Database, Queryable } from "../database/database.ts";
export { openPostgres } from "../database/pg-database.ts";
/** The entry `atlas-sdk/log`: the event log for consumers and tools of your own. */
export type { CopyOptions, CopySummary } from "../log/copy/copy-records.ts";
export type * from "../log/event-log.ts";
export type { Mask, Masked, Masking } from "../schemas/masked.ts";
export { splitContent } from "../traces/content.ts";

/**
 * Opens a log by itself, without the consumers of Atlas. On Kafka, what only reads, appends and subscribes needs no
 * database.
 *
 * @param source where the log is; what the environment says unless told
 * @param options `mask`: what `log.mask` takes out
 * @throws AtlasError ATLAS_CONFIG_INVALID, ATLAS_LOG_HELD, ATLAS_LOG_UNREACHABLE, ATLAS_DATABASE_UNREACHABLE
 * @example
 * const log = await openLog({ kind: "postgres", databaseUrl: "postgresql://localhost/atlas" });
 * for await (const batch of log.read(["atlas.rewards"])) console.log(batch.length);
 * await log.close();
 */
export async function openLog(
  source?: ConfigInput["log"],
  { mask }: { mask?: Mask } = {},
): Promise<EventLog & AsyncDisposable> {
  const config: LogConfig = loadConfig(source === undefined ? undefined : { log: source }).log;
  const alone = config.kind === "kafka" && config.databaseUrl === undefined;
  const opened = await (alone ? openLogAlone : openStore)(config, mask);
  const close = closedAtExit(opened.close, (error) =>
    defaultLogger.of("close").warn({ code: "ATLAS_CLOSE_FAILED", err: error }, "closing failed"),
  );
  return { ...opened.log, close, [Symbol.asyncDispose]: close };
}

/**
 * Copies a log as it is now: every record at the same offset, with the same key, schema fingerprint and body, so that
 * datasets can be built again from the copy. Copying again goes on where the last one stopped, and adds what is new.
 *
 * @param to where the copy is; it is created where it is missing
 * @throws AtlasError ATLAS_COPY_REFUSED when the target holds anything else or has another number of partitions,
 *   ATLAS_CONFIG_INVALID, ATLAS_LOG_REPLACED, ATLAS_LOG_UNREACHABLE, ATLAS_DATABASE_UNREACHABLE
 * @example
 * const { copied } = await copyLog(atlas.log, { kind: "embedded", path: "backup/.atlas" });
 */
export const copyLog = (
  source: EventLog,
  to: NonNullable<ConfigInput["log"]>,
  options: CopyOptions = {},
): Promise<CopySummary> => copyLogTo(source, loadConfig({ log: to }).log, options);
