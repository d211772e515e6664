import { join } from "node:path";
import type { Database } from "../database/database.ts";
import { type Migrations, migrate } from "../database/migrate.ts";

/** The tables that a log on Postgres, or consumers of any log, need. */
export const LOG_TABLES: Migrations = {
  series: "log",
  folder: join(import.meta.dirname, "migrations"),
  uncopied: "delete from atlas_log.database",
};

/** Databases whose tables were found to be there: they are not looked for again. */
const prepared = new WeakSet<Database>();

/** Creates {@link LOG_TABLES}, or brings them up to date. */
export async function prepareLogTables(db: Database): Promise<void> {
  if (prepared.has(db)) return;
  await migrate(db, LOG_TABLES);
  prepared.add(db);
}

/** The id of a database with these tables, which no other one has. */
export async function databaseId(db: Database): Promise<string> {
  const find = () => db.query<{ id: string }>("select id from atlas_log.database");
  const { rows } = await find();
  if (rows[0] !== undefined) return rows[0].id;
  await db.query("insert into atlas_log.database default values on conflict do nothing");
  return (await find()).rows[0]!.id;
}
