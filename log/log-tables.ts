import { join } from "node:path";
import type { Database } from "../database/database.ts";
import { migrate } from "../database/migrate.ts";

const MIGRATIONS = { series: "log", folder: join(import.meta.dirname, "migrations") };

/** Databases whose tables were found to be there: they are not looked for again. */
const prepared = new WeakSet<Database>();

/** Creates the tables that a log on Postgres, or consumers of any log, need. */
export async function prepareLogTables(db: Database): Promise<void> {
  if (prepared.has(db)) return;
  await migrate(db, MIGRATIONS);
  prepared.add(db);
}
