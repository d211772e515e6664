import type pg from "pg";

/** A connection that breaks tells whoever uses it; one that nobody uses must not end the process. */
export function quiet(pool: pg.Pool): pg.Pool {
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}
