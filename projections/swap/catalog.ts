import type { Queryable } from "../../database/database.ts";
import { REBUILT_TABLES } from "../tables.ts";

/** The schema of the live tables, and that of the tables that are to take their place. */
export interface Schemas {
  live: string;
  rebuilt: string;
}

/** Begins a query with `t`: each live table beside the rebuilt one. $1 is the live schema, $2 the other, $3 the names. */
export const TABLES = `
  with t as (
    select l.oid as live, f.oid as fresh, l.relname::text as name
      from pg_class l
      join pg_class f on f.relname = l.relname and f.relkind = 'r'
       and f.relnamespace = (select oid from pg_namespace where nspname = $2)
     where l.relkind = 'r' and l.relname = any($3::text[])
       and l.relnamespace = (select oid from pg_namespace where nspname = $1))`;

/** Values of {@link TABLES}. */
export const valuesOf = ({ live, rebuilt }: Schemas): unknown[] => [live, rebuilt, REBUILT_TABLES];

/**
 * Reads definitions from the catalog with every name in full, whatever the search path: they are to mean the same
 * where they are used again.
 *
 * @param tx a transaction
 */
export async function inFull<T>(tx: Queryable, read: () => Promise<T>): Promise<T> {
  const { rows } = await tx.query<{ path: string }>("select current_setting('search_path') as path");
  await tx.query("set local search_path = pg_catalog");
  const result = await read();
  await tx.query("select set_config('search_path', $1, true)", [rows[0]!.path]);
  return result;
}

/** The statements that a query of the catalog makes, in their order. */
export async function statementsOf(tx: Queryable, sql: string, schemas: Schemas): Promise<readonly string[]> {
  const { rows } = await tx.query<{ statement: string }>(sql, valuesOf(schemas));
  return rows.map(({ statement }) => statement);
}

/** Executes statements in their order. */
export async function execute(tx: Queryable, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await tx.query(statement);
}
