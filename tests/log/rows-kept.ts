import type { Queryable } from "../../database/database.ts";

/** What the tables of `atlas_log` keep of sessions, the log itself left out. */
export interface RowsKept {
  /** Rows that name one of them. */
  rows: number;
  /** Of the largest row, as Postgres counts them. */
  bytes: number;
  /** Rows of each table that has some. */
  tables: Record<string, number>;
}

/**
 * Counts the rows in which one of these sessions is named anywhere; of states, those that are kept of a session: that of
 * a learning key names some in its window.
 */
export async function rowsKept(db: Queryable, sessions: readonly string[]): Promise<RowsKept> {
  const kept: RowsKept = { rows: 0, bytes: 0, tables: {} };
  const { rows: tables } = await db.query<{ name: string }>(
    `select relname as name from pg_class
      where relnamespace = 'atlas_log'::regnamespace and relkind = 'r' and relname not like 'events%' order by 1`,
  );
  for (const { name } of tables) {
    const text = name === "state" ? "t.key" : "t::text";
    const { rows } = await db.query<{ count: number; bytes: number | null }>(
      `select count(*)::int as count, max(pg_column_size(t)) as bytes from atlas_log.${name} t
        where exists (select from unnest($1::text[]) as s(id) where position(s.id in ${text}) > 0)`,
      [sessions],
    );
    const { count, bytes } = rows[0]!;
    if (count === 0) continue;
    kept.tables[name] = count;
    kept.rows += count;
    kept.bytes = Math.max(kept.bytes, bytes ?? 0);
  }
  return kept;
}
