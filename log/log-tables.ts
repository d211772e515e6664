import { join } from "node:path";
import type { Database } from "../database/database.ts";
import { migrate } from "../database/migrate.ts";

const MIGRATIONS = { series: "log", folder: join(import.meta.dirname, "migrations") };

/** Creates the tables that a log on Postgres, or consumers of any log, need. */
export const prepareLogTables = (db: Database): Promise<void> => migrate(db, MIGRATIONS);
