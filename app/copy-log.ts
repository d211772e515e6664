import type { LogConfig } from "../configs/config-schema.ts";
import { isAtlasError } from "../errors/atlas-error.ts";
import {
  type CopyOptions,
  type CopySummary,
  type CopyTarget,
  copyRecords,
  refused,
} from "../log/copy/copy-records.ts";
import type { EventLog } from "../log/event-log.ts";
import { placeRecords } from "../log/postgres/place-records.ts";
import { kafkaOptionsOf, openStore } from "./open-store.ts";

async function openDatabaseTarget(config: Exclude<LogConfig, { kind: "kafka" }>): Promise<CopyTarget> {
  const { log, db, close } = await openStore(config);
  if (log.kind === "kafka") {
    await close();
    const message = "the database holds the read models of another log";
    throw refused(message, db.address, "Copy into a database of its own.");
  }
  return {
    log,
    close,
    async place(records) {
      if (await placeRecords(db, records)) return;
      const { topic, partition } = records[0]!;
      const message = `somebody else appended to ${topic}[${partition}] of the target`;
      throw refused(message, db.address, "Copy into a log that nobody uses yet.");
    },
  };
}

/** Opens the log that is copied into, with as many partitions, and creates it where it is missing. */
async function openTarget(to: LogConfig, partitions: number): Promise<CopyTarget> {
  try {
    if (to.kind !== "kafka") return await openDatabaseTarget({ ...to, partitions });
    const { openKafkaTarget } = await import("../log/kafka/open-kafka-target.ts");
    return await openKafkaTarget({ ...kafkaOptionsOf(to), partitions });
  } catch (error) {
    if (!isAtlasError(error, "ATLAS_LOG_MISCONFIGURED") || !/\bpartitions\b/.test(error.message)) throw error;
    const hint =
      "Copy into a log that does not exist yet: offsets only stay the same with as many partitions.";
    throw refused(`the target cannot take the log: ${error.message}`, error.where ?? "", hint);
  }
}

/**
 * Copies a log, as it is now, into another one: every record at the same offset, with the same key, schema fingerprint
 * and body, so that datasets built from one can be built again from the other. On Postgres and embedded the times of
 * appending are kept, too. Copying again goes on where the last one stopped.
 *
 * @param to where the copy is; it is created where it is missing
 * @throws AtlasError ATLAS_COPY_REFUSED, ATLAS_LOG_REPLACED, ATLAS_LOG_UNREACHABLE, and what opening the target throws
 */
export async function copyLogTo(
  source: EventLog,
  to: LogConfig,
  options: CopyOptions = {},
): Promise<CopySummary> {
  const target = await openTarget(to, source.partitions);
  try {
    return await copyRecords(source, target, options);
  } finally {
    await target.close();
  }
}
