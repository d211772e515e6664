import type { Database } from "../database/database.ts";
import { prepareReadModels } from "../projections/prepare-read-models.ts";
import { REBUILT_TABLES, type ReadModelTable } from "../projections/tables.ts";
import { inBatches } from "./sessions.ts";

const BATCH = 500;

/** A table's rows, each value as text. */
export interface TableRows {
  table: ReadModelTable;
  columns: { name: string; type: string }[];
  rows: (string | null)[][];
}

/** Reads all rows of the read models, parents before children. */
export async function readRows(db: Database): Promise<TableRows[]> {
  const tables: TableRows[] = [];
  for (const table of REBUILT_TABLES) {
    const { rows: columns } = await db.query<{ name: string; type: string }>(
      `select quote_ident(attname) as name, format_type(atttypid, atttypmod) as type from pg_attribute
        where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
      [table],
    );
    const texts = columns.map(({ name }) => `${name}::text`).join(", ");
    const { rows } = await db.query<{ cells: (string | null)[] }>(
      `select array[${texts}] as cells from ${table}`,
    );
    tables.push({ table, columns, rows: rows.map(({ cells }) => cells) });
  }
  return tables;
}

/** Inserts the rows into the tables of a schema, up to 500 with one statement. */
export async function insertRaw(db: Database, schema: string, tables: readonly TableRows[]): Promise<void> {
  for (const { table, columns, rows } of tables) {
    const names = columns.map(({ name }) => name).join(", ");
    const arrays = columns.map(({ type }, index) => `$${index + 1}::${type}[]`).join(", ");
    for (const batch of inBatches(rows, BATCH)) {
      await db.query(
        `insert into ${schema}.${table} (${names}) select * from unnest(${arrays})`,
        columns.map((_, index) => batch.map((row) => row[index])),
      );
    }
  }
}

let made = 0;

/** Runs work on empty read models in a schema of their own, which goes away afterwards. */
export async function inEmptySchema<T>(db: Database, work: (schema: string) => Promise<T>): Promise<T> {
  made += 1;
  const schema = `bench_${made}`;
  await db.query(`create schema ${schema}`);
  try {
    await prepareReadModels(db, { schema });
    return await work(schema);
  } finally {
    await db.query(`drop schema ${schema} cascade`);
  }
}
