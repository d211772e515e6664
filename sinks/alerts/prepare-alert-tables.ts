import { join } from "node:path";
import type { Database } from "../../database/database.ts";
import { migrate } from "../../database/migrate.ts";

const MIGRATIONS = { series: "alerts", folder: join(import.meta.dirname, "migrations") };

/**
 * Creates the table that alerts wait in.
 *
 * @throws AtlasError ATLAS_DATABASE_TOO_NEW
 */
export const prepareAlertTables = (db: Database): Promise<void> => migrate(db, MIGRATIONS);
