import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EMBEDDED_TABLES } from "../../app/open-store.ts";
import type { Database } from "../../database/database.ts";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { prepareLogTables } from "../../log/log-tables.ts";
import { prepareReadModels } from "../../projections/prepare-read-models.ts";
import { missing, postgres } from "../services/services.ts";

/** A kind of database that read models have to work on. */
export interface DatabaseKind {
  name: string;
  skip: boolean;
  /** Opens a new one with all tables. */
  open(): Promise<Database>;
}

async function prepared(db: Database): Promise<Database> {
  await prepareLogTables(db);
  await prepareReadModels(db);
  return db;
}

async function openNewEmbedded(): Promise<Database> {
  const folder = mkdtempSync(join(tmpdir(), "atlas-read-models-"));
  const db = await openEmbedded(folder, { tables: EMBEDDED_TABLES });
  return {
    address: db.address,
    heardAt: db.heardAt,
    query: (sql, params) => db.query(sql, params),
    transaction: (body) => db.transaction(body),
    close: async () => {
      await db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A new database on the server that all suites share. */
export const openServer = async (): Promise<Database> => prepared(await openPostgres((await postgres()).url));

/** Every kind of database. */
export const DATABASES: DatabaseKind[] = [
  { name: "a Postgres server", skip: await missing("postgres"), open: openServer },
  { name: "the embedded database", skip: false, open: async () => prepared(await openNewEmbedded()) },
];
