import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AtlasError } from "../errors/atlas-error.ts";
import { type Database, type Queryable, UNHURRIED } from "./database.ts";

/** A numbered series of plain SQL files. */
export interface Migrations {
  /** Name of the series in the table of applied versions. */
  series: string;
  /** Folder of `NNN_name.sql` files. */
  folder: string;
  /** Replacements for `:name` in the SQL, each a quoted identifier. */
  names?: Record<string, string>;
  /**
   * Takes out of a database that others are copied from what has to be each one's own. Whoever needs it makes it where it is
   * missing.
   */
  uncopied?: string;
}

/** What Postgres calls a table, or the schema that it were in, that is not there. */
const NO_SUCH_TABLE = "42P01";

/** One file of a series. */
interface Migration {
  version: number;
  sql: string;
}

/** What a series consists of, in order, with its names filled in. */
export function readMigrations({ folder, names = {} }: Migrations): Migration[] {
  return readdirSync(folder)
    .filter((file) => /^\d{3}_.*\.sql$/.test(file))
    .sort()
    .map((file) => {
      let sql = readFileSync(join(folder, file), "utf8");
      for (const [name, value] of Object.entries(names)) sql = sql.replaceAll(`:${name}`, value);
      return { version: Number(file.slice(0, 3)), sql };
    });
}

async function currentVersion(db: Database, series: string): Promise<number | undefined> {
  try {
    const { rows } = await db.query<{ version: number }>(
      "select version from atlas_log.migrations where series = $1",
      [series],
    );
    return rows[0]?.version;
  } catch (error) {
    if ((error as { code?: unknown }).code === NO_SUCH_TABLE) return undefined;
    throw error;
  }
}

/**
 * Brings a series of migrations up to date. Several processes may call it at once: they take turns.
 *
 * @throws AtlasError ATLAS_DATABASE_TOO_NEW when a newer version of the package migrated the database
 */
export async function migrate(db: Database, migrations: Migrations): Promise<void> {
  const all = readMigrations(migrations);
  const newest = all.at(-1)?.version ?? 0;
  const { series } = migrations;
  const tooNew = (version: number): never => {
    throw new AtlasError(
      "ATLAS_DATABASE_TOO_NEW",
      `its ${series} tables have version ${version}, this package knows ${newest}`,
      {
        where: db.address,
        hint: "Upgrade atlas-sdk here.",
      },
    );
  };
  const before = await currentVersion(db, series);
  if (before === newest) return;
  if (before !== undefined && before > newest) tooNew(before);
  const migrating = async (tx: Queryable): Promise<void> => {
    await tx.query("select pg_advisory_xact_lock(hashtext('atlas_log.migrations'))");
    await tx.query("create schema if not exists atlas_log");
    await tx.query(
      "create table if not exists atlas_log.migrations (series text primary key, version int not null)",
    );
    const { rows } = await tx.query<{ version: number }>(
      "select version from atlas_log.migrations where series = $1",
      [series],
    );
    const done = rows[0]?.version ?? 0;
    if (done > newest) tooNew(done);
    for (const { version, sql } of all) {
      if (version > done) await tx.query(sql);
    }
    await tx.query(
      "insert into atlas_log.migrations values ($1, $2) on conflict (series) do update set version = excluded.version",
      [series, newest],
    );
  };
  await db.transaction(migrating, UNHURRIED);
}

/** Forgets that a series was applied: its tables are gone. */
export async function forgetSeries(tx: Queryable, series: string): Promise<void> {
  await tx.query("delete from atlas_log.migrations where series = $1", [series]);
}
