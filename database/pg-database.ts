import { Socket } from "node:net";
import pg from "pg";
import { AtlasError, messageOf } from "../errors/atlas-error.ts";
import type { Database, StatementOptions } from "./database.ts";
import { TYPES } from "./int8.ts";
import { databaseOver } from "./pool-database.ts";
import { quiet } from "./quiet-pool.ts";
import { isTransient } from "./transient.ts";

const CONNECT_MS = 10_000;
/** A connection whose other end is gone may take bytes for ever and never answer. */
const STATEMENT_MS = 30_000;
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };
/** A process that is paused inside a transaction holds its locks; after this long others may go on without it. */
const IDLE_IN_TRANSACTION_MS = 15_000;
/** Set with the transaction and not with the connection: a pooler such as PgBouncer refuses connections that set it. */
const BEGIN = `begin; set local idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}`;

/** The URL without what is secret in it. */
function addressOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new AtlasError("ATLAS_CONFIG_INVALID", "the database URL is not one of Postgres", {
      hint: "Write it as postgresql://user:password@host:5432/database, special characters as %XX.",
    });
  }
  parsed.password = "";
  for (const name of [...parsed.searchParams.keys()]) {
    if (/password|key/i.test(name)) parsed.searchParams.delete(name);
  }
  return parsed.toString();
}

function hintFor(code: unknown): string {
  if (code === "3D000") return "Create the database, or correct its name in the URL.";
  if (typeof code === "string" && code.startsWith("28")) return "Correct the user or password in the URL.";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "Correct the host in the URL.";
  return "Check that Postgres runs there, or correct the URL.";
}

/** Opens a pool and proves that it can connect. */
async function connected(pool: pg.Pool, address: string): Promise<void> {
  try {
    const client = await pool.connect();
    client.release();
  } catch (error) {
    await pool.end();
    const { code } = error as { code?: unknown };
    throw new AtlasError("ATLAS_DATABASE_UNREACHABLE", `cannot connect to Postgres: ${messageOf(error)}`, {
      where: address,
      hint: hintFor(code),
      retryable: isTransient(error),
      cause: error,
    });
  }
}

/** A client that waits a limited time for its connection; a pool of its own setting would also limit waiting for a turn. */
class Client extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super({ ...config, connectionTimeoutMillis: CONNECT_MS });
  }
}

/**
 * Connects to a Postgres server.
 *
 * @param url `postgresql://user:password@host:port/database`
 * @param options.max most connections at a time; 10 unless told
 * @param options.limitMs how long an answer to a statement is waited for; 30,000 unless told
 * @throws AtlasError ATLAS_DATABASE_UNREACHABLE when nobody answers there or the server refuses,
 *   ATLAS_CONFIG_INVALID when it is not a URL
 * @example
 * const db = await openPostgres("postgresql://atlas:secret@localhost:5432/atlas");
 */
export async function openPostgres(
  url: string,
  options: { max?: number } & StatementOptions = {},
): Promise<Database> {
  const address = addressOf(url);
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "atlas-sdk",
    max: options.max ?? 10,
    allowExitOnIdle: true,
    ...KEEP_ALIVE,
    types: TYPES,
    Client,
  });
  await connected(quiet(pool), address);
  return databaseOver({
    address,
    connect: () => pool.connect(),
    connectAlone: async () => {
      const socket = new Socket();
      const stream = () => socket;
      const config = { connectionString: url, application_name: "atlas-sdk", ...KEEP_ALIVE, stream };
      const client = new Client(config);
      await client.connect();
      socket.unref();
      return client;
    },
    begin: BEGIN,
    limitMs: options.limitMs ?? STATEMENT_MS,
    close: () => pool.end(),
  });
}
