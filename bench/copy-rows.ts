import type pg from "pg";
import type { TableRows } from "./raw-rows.ts";
import { inBatches } from "./sessions.ts";

const BATCH = 500;

/** A table's rows as they lie ready for COPY. */
export interface CopyRows {
  table: string;
  names: string;
  chunks: Buffer[];
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

const cellOf = (cell: string | null): string =>
  cell === null ? "\\N" : cell.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character);

/** Rows as COPY takes them, 500 in a chunk. */
export const copyRowsOf = (tables: readonly TableRows[]): CopyRows[] =>
  tables.map(({ table, columns, rows }) => ({
    table,
    names: columns.map(({ name }) => name).join(", "),
    chunks: [...inBatches(rows, BATCH)].map((batch) =>
      Buffer.from(batch.map((row) => `${row.map(cellOf).join("\t")}\n`).join("")),
    ),
  }));

/** What node-postgres' connections can, beyond their types. */
type CopyConnection = pg.Connection & { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void };

/** A COPY that node-postgres hands its connection to: it has none of its own. */
class CopyIn implements pg.Submittable {
  readonly done: Promise<void>;
  private readonly sql: string;
  private readonly chunks: readonly Buffer[];
  private settle: (error?: Error) => void = () => {};
  private failure: Error | undefined;

  constructor(sql: string, chunks: readonly Buffer[]) {
    this.sql = sql;
    this.chunks = chunks;
    this.done = new Promise((resolve, reject) => {
      this.settle = (error) => (error === undefined ? resolve() : reject(error));
    });
  }

  submit(connection: pg.Connection): void {
    connection.query(this.sql);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    for (const chunk of this.chunks) connection.sendCopyFromChunk(chunk);
    connection.endCopyFrom();
  }

  handleCommandComplete(): void {}

  handleError(error: Error): void {
    this.failure = error;
  }

  handleReadyForQuery(): void {
    this.settle(this.failure);
  }
}

/** Copies the rows into the tables of a schema, each table with one statement. */
export async function insertByCopy(
  client: pg.Client,
  schema: string,
  tables: readonly CopyRows[],
): Promise<void> {
  for (const { table, names, chunks } of tables) {
    if (chunks.length === 0) continue;
    await client.query(new CopyIn(`copy ${schema}.${table} (${names}) from stdin`, chunks)).done;
  }
}
