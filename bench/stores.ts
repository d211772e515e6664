import { openStore, type Store } from "../app/open-store.ts";
import { settle, startPipeline } from "../app/pipeline.ts";
import { openRules } from "../app/rules.ts";
import { openPostgres } from "../log/postgres/pg-database.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import { DEFAULT_RULES } from "../schemas/rules.ts";
import type { BenchContext } from "./benchmark.ts";
import { inBatches } from "./sessions.ts";

/** A store whose database is dropped when it is closed. */
export interface BenchStore extends Store {
  /** Address of its database. */
  databaseUrl: string;
}

let made = 0;
const nextName = (): string => {
  made += 1;
  return `bench_${process.pid}_${made}`;
};

/** Creates an empty database on the benchmark's server. */
export async function createDatabase({ services }: BenchContext): Promise<{ url: string; drop(): Promise<void> }> {
  const name = nextName();
  const url = new URL(services.databaseUrl);
  url.pathname = `/${name}`;
  const run = async (sql: string): Promise<void> => {
    const admin = await openPostgres(services.databaseUrl);
    await admin.query(sql).finally(() => admin.close());
  };
  await run(`create database ${name}`);
  return { url: url.href, drop: () => run(`drop database if exists ${name} with (force)`) };
}

/** Opens an empty log on the Postgres server, with read models beside it. */
export async function postgresStore(context: BenchContext): Promise<BenchStore> {
  const { url, drop } = await createDatabase(context);
  return dropping(await openStore({ kind: "postgres", databaseUrl: url }), url, drop);
}

function dropping(store: Store, databaseUrl: string, drop: () => Promise<void>): BenchStore {
  const close = async (): Promise<void> => {
    await store.close();
    await drop();
  };
  return { log: store.log, db: store.db, databaseUrl, close };
}
