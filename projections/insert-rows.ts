import type { Queryable } from "../log/postgres/database.ts";

/** Larger statements would hold up the embedded database's other work. */
const MAX_ROWS = 500;
const MAX_LENGTH = 4 * 1024 * 1024;

type Cell = string | number | boolean | null;

/** A column: its Postgres type and where its value comes from. JSON values are given as text. */
export type Columns<Row> = Record<string, [type: string, value: (row: Row) => Cell]>;

/** Where rows go, and what happens to those that are there. */
export interface Target<Row> {
  table: string;
  columns: Columns<Row>;
  /** Columns that identify a row. */
  key: readonly string[];
  /** Leave rows that are there as they are, instead of overwriting them. */
  keep?: boolean;
  /** Overwrites only where this holds; the row that is there is called `old`. */
  where?: string;
}

const lengthOf = (cells: readonly Cell[]): number =>
  cells.reduce<number>((sum, cell) => sum + (typeof cell === "string" ? cell.length : 8), 0);

function* chunks(rows: readonly Cell[][]): Generator<Cell[][]> {
  let chunk: Cell[][] = [];
  let length = 0;
  for (const row of rows) {
    const more = lengthOf(row);
    if (chunk.length > 0 && (chunk.length === MAX_ROWS || length + more > MAX_LENGTH)) {
      yield chunk;
      chunk = [];
      length = 0;
    }
    chunk.push(row);
    length += more;
  }
  if (chunk.length > 0) yield chunk;
}

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
  const changed = names.filter((name) => !target.key.includes(name));
  const update = changed.map((name) => `${name} = excluded.${name}`).join(", ");
  const where = target.where === undefined ? "" : ` where ${target.where}`;
  const conflict = target.keep === true ? "do nothing" : `do update set ${update}${where}`;
  const sql =
    `insert into ${target.table} as old (${names.join(", ")}) select * from ` +
    `unnest(${columns.map(([, [type]], index) => `$${index + 1}::${type}[]`).join(", ")}) ` +
    `on conflict (${target.key.join(", ")}) ${conflict}`;
  const cells = rows.map((row) => columns.map(([, [, value]]) => value(row)));
  for (const chunk of chunks(cells)) {
    await tx.query(
      sql,
      columns.map((_, index) => chunk.map((row) => row[index])),
    );
  }
}
