import { openPostgres } from "../database/pg-database.ts";
import type { ImportSummary } from "../intake/import/intake.ts";
import { type MigrateOptions as Migration, migrateSessions } from "../intake/migration/migrate-sessions.ts";
import type { intakeInto } from "./intake-into.ts";

/** Where the sessions of a Python SDK are, and how to take them over. */
export interface MigrateOptions extends Pick<Migration, "at" | "onProgress" | "signal"> {
  /** URL of its Postgres database, or the path of a file that its exporter wrote. */
  from: { databaseUrl: string } | { file: string };
}

/** Migrates into a log. */
export async function migrate(
  { from, ...rest }: MigrateOptions,
  intake: Awaited<ReturnType<typeof intakeInto>>,
): Promise<ImportSummary> {
  if ("file" in from) return migrateSessions({ ...rest, ...intake, source: from });
  const db = await openPostgres(from.databaseUrl, { max: 1 });
  try {
    return await migrateSessions({ ...rest, ...intake, source: { db } });
  } finally {
    await db.close();
  }
}
