import { openPostgres } from "../database/pg-database.ts";
import type { ImportSummary } from "../intake/import/import-recorded.ts";
import { type MigrateOptions as Migration, migrateSessions } from "../intake/migration/migrate-sessions.ts";
import type { EventLog } from "../log/event-log.ts";
import { intakeInto } from "./intake-into.ts";

/** Where the sessions of a Python SDK are, and how to take them over. */
export interface MigrateOptions extends Pick<Migration, "at" | "onProgress" | "signal"> {
  /** URL of its Postgres database, or the path of a file that its exporter wrote. */
  from: { databaseUrl: string } | { file: string };
}

/** What is migrated into. */
export interface MigrationTarget {
  log: EventLog;
  rulesHash: string;
  /** Called once when no consumer keeps up, and sessions are appended without waiting for those before them. */
  unordered: () => void;
}

/** Migrates into a log, in the order in which drift has to see the sessions. */
export async function migrate(
  { from, ...rest }: MigrateOptions,
  { log, rulesHash, unordered }: MigrationTarget,
): Promise<ImportSummary> {
  const db = "file" in from ? undefined : await openPostgres(from.databaseUrl, { max: 1 });
  try {
    const { append, mask, knownSequences } = intakeInto(log, unordered, rest.signal);
    return await migrateSessions({
      ...rest,
      source: db === undefined ? { file: (from as { file: string }).file } : { db },
      rulesHash,
      log: { append, mask, read: (topics, range) => log.read(topics, range) },
      knownSequences,
    });
  } finally {
    await db?.close();
  }
}
