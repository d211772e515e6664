import { arrayBytes, isByteType } from "../database/array-bytes.ts";
import type { Queryable } from "../database/database.ts";
import { groupsOf } from "./groups.ts";

/** Larger statements would hold up the embedded database's other work. */
const LIMITS = { items: 500, size: 4 * 1024 * 1024 };

type Cell = string | number | boolean | null;

/** A column: its Postgres type and where its value comes from. JSON values are given as text. */
export type Columns<Row> = Record<string, [type: string, value: (row: Row) => Cell]>;

/** Where rows go, and what happens to those that are there. */
export interface Target<Row> {
  table: string;
  columns: Columns<Row>;
  /** Columns that identify a row: rows that are there are overwritten. Without, none may be there. */
  key?: readonly string[];
}

const lengthOf = (cells: readonly Cell[]): number =>
  cells.reduce<number>((sum, cell) => sum + (typeof cell === "string" ? cell.length : 8), 0);

const arrayOf = (type: string, cells: readonly Cell[]): unknown =>
  isByteType(type) ? arrayBytes(type, cells as (string | null)[]) : cells;

/**
 * Inserts rows, or overwrites those that are there, with one statement for up to 500 rows. No row may come twice.
 *
 * @example
 * await insertRows(tx, { table: "plans", columns: { session_id: ["int", id], plan: ["jsonb", plan] }, key: ["session_id"] }, rows);
 */
export async function insertRows<Row>(
  tx: Queryable,
  target: Target<Row>,
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return;
  const columns = Object.entries(target.columns);
  const names = columns.map(([name]) => name);
  const { key } = target;
  const update = names.filter((name) => !key?.includes(name)).map((name) => `${name} = excluded.${name}`);
  const conflict =
    key === undefined ? "" : ` on conflict (${key.join(", ")}) do update set ${update.join(", ")}`;
  const sql =
    `insert into ${target.table} (${names.join(", ")}) select * from ` +
    `unnest(${columns.map(([, [type]], index) => `$${index + 1}::${type}[]`).join(", ")})${conflict}`;
  const cells = rows.map((row) => columns.map(([, [, value]]) => value(row)));
  for (const chunk of groupsOf(cells, lengthOf, LIMITS)) {
    await tx.query(
      sql,
      columns.map(([, [type]], index) =>
        arrayOf(
          type,
          chunk.map((row) => row[index] ?? null),
        ),
      ),
    );
  }
}
