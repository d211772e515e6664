import pg from "pg";
import { AtlasError, messageOf } from "../../errors/atlas-error.ts";
import type { Database, Queryable, QueryResult } from "./database.ts";

/** Something of `pg` that runs statements. */
type Runner = Pick<pg.Pool, "query">;

async function run<Row>(runner: Runner, sql: string, params?: readonly unknown[]): Promise<QueryResult<Row>> {
  const result = await (params === undefined ? runner.query(sql) : runner.query(sql, [...params]));
  const last = Array.isArray(result) ? result.at(-1) : result;
  return { rows: last.rows as Row[], rowCount: last.rowCount ?? 0 };
}

/** Runs a transaction on one client; a client whose connection broke does not go back to its pool. */
export async function inTransaction<T>(
  client: pg.PoolClient,
  body: (tx: Queryable) => Promise<T>,
): Promise<T> {
  let broken = false;
  const onError = (): void => {
    broken = true;
  };
  client.on("error", onError);
  try {
    await client.query("begin");
    const result = await body({ query: (sql, params) => run(client, sql, params) });
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch(onError);
    throw error;
  } finally {
    client.removeListener("error", onError);
    client.release(broken);
  }
}

/** A database over a pool of `pg`. */
export function poolDatabase(pool: pg.Pool, address: string): Database {
  // A connection that breaks is replaced at its next use; whoever was using it is told by its query.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return {
    address,
    query: (sql, params) => run(pool, sql, params),
    transaction: async (body) => inTransaction(await pool.connect(), body),
    close: () => pool.end(),
  };
}

/** The address without its password. */
function addressOf(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password !== "") parsed.password = "***";
    return parsed.toString();
  } catch {
    return "the database URL";
  }
}

/**
 * Connects to a Postgres server.
 *
 * @param url `postgresql://user:password@host:port/database`
 * @throws AtlasError ATLAS_DATABASE_UNREACHABLE when nobody answers there, or the server refuses
 * @example
 * const db = await openPostgres("postgresql://atlas:secret@localhost:5432/atlas");
 */
export async function openPostgres(url: string, options: { max?: number } = {}): Promise<Database> {
  const address = addressOf(url);
  let pool: pg.Pool | undefined;
  try {
    pool = new pg.Pool({
      connectionString: url,
      max: options.max ?? 10,
      connectionTimeoutMillis: 10_000,
      allowExitOnIdle: true,
      application_name: "atlas-sdk",
    });
    const db = poolDatabase(pool, address);
    await db.query("select 1");
    return db;
  } catch (error) {
    await pool?.end().catch(() => undefined);
    throw new AtlasError("ATLAS_DATABASE_UNREACHABLE", `Postgres did not let us in: ${messageOf(error)}`, {
      where: address,
      hint: "Check that the server runs and that the URL, user and database are right.",
      retryable: true,
      cause: error,
    });
  }
}
