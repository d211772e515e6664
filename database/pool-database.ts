import type pg from "pg";
import { AtlasError } from "../errors/atlas-error.ts";
import { closeInTime } from "../errors/close-in-time.ts";
import type { Database, Listener, Parsers, Queryable, QueryResult, StatementOptions } from "./database.ts";
import { typesWith } from "./int8.ts";
import { listenOver } from "./listener.ts";

/** Where a {@link Database} gets its node-postgres clients from. */
export interface ClientSource {
  /** Human-readable address without credentials. */
  address: string;
  /** A client for one statement or one transaction, given back with `release`. */
  connect(): Promise<pg.PoolClient>;
  /** What begins a transaction; `begin` unless told. */
  begin?: string;
  /** How long an answer to a statement is waited for; any time unless told. */
  limitMs?: number;
  /** A connection of its own, outside of the pool, for what listens. */
  connectAlone?: () => Promise<pg.Client>;
  /** Called once, when nothing runs any more. */
  close(): Promise<void>;
}

/** How long closing waits for what runs; and then for the connections to end. */
const CLOSE_MS = 5000;
/** A rollback that is not answered soon is left to the server, which sees the connection end. */
const ROLLBACK_MS = 2000;

/** How work on a client ended, and whether the client can be used again. */
type Outcome<T> = { value: T } | { error: unknown; clean: boolean };

/** Only an answer of the database itself leaves no doubt about the state of its connection. */
const isAnswer = (error: unknown): boolean =>
  error instanceof Error && "severity" in error && error.severity === "ERROR";

interface RunOptions extends StatementOptions {
  parsers?: Parsers | undefined;
}

/** A statement for node-postgres, which gives up on it after the limit. */
const statement = (
  sql: string,
  params: readonly unknown[] | undefined,
  { limitMs, parsers }: RunOptions,
) => ({
  text: sql,
  ...(params !== undefined && { values: [...params] }),
  ...(limitMs !== undefined && Number.isFinite(limitMs) && { query_timeout: limitMs }),
  ...(parsers !== undefined && { types: typesWith(parsers) }),
});

async function run<Row>(
  client: pg.PoolClient,
  sql: string,
  params: readonly unknown[] | undefined,
  options: RunOptions,
): Promise<QueryResult<Row>> {
  const answer: pg.QueryResult | pg.QueryResult[] = await client.query(statement(sql, params, options));
  // Several statements in one text are answered by a list; the last of them counts.
  const last = Array.isArray(answer) ? answer.at(-1) : answer;
  return { rows: (last?.rows ?? []) as Row[], rowCount: last?.rowCount ?? 0 };
}

/** A transaction as its body sees it: one statement after the other, and none after its end. */
class Transaction implements Queryable {
  private readonly client: pg.PoolClient;
  private tail: Promise<unknown> = Promise.resolve();
  private readonly limitMs: number | undefined;
  private ended = false;

  constructor(client: pg.PoolClient, limitMs: number | undefined) {
    this.client = client;
    this.limitMs = limitMs;
  }

  query<Row>(
    sql: string,
    params?: readonly unknown[],
    { limitMs = this.limitMs, parsers }: RunOptions = {},
  ): Promise<QueryResult<Row>> {
    if (this.ended) {
      return Promise.reject(new AtlasError("ATLAS_UNEXPECTED", "a transaction was used after its end"));
    }
    const answer = this.tail.then(() => run<Row>(this.client, sql, params, { limitMs, parsers }));
    this.tail = answer.catch(() => undefined);
    return answer;
  }

  parsing(parsers: Parsers): Queryable {
    return { query: (sql, params, options) => this.query(sql, params, { ...options, parsers }) };
  }

  async end(how: "commit" | "rollback", limitMs: number | undefined): Promise<void> {
    this.ended = true;
    await this.tail;
    const { command } = await this.client.query(statement(how, undefined, { limitMs }));
    // Postgres answers the commit of a failed transaction with success, and the tag ROLLBACK.
    if (how === "commit" && command === "ROLLBACK") {
      throw new AtlasError("ATLAS_UNEXPECTED", "a statement failed, yet its transaction was to be committed");
    }
  }
}

async function inTransaction<T>(
  client: pg.PoolClient,
  begin: string,
  limitMs: number | undefined,
  body: (tx: Queryable) => Promise<T>,
): Promise<Outcome<T>> {
  await run(client, begin, undefined, { limitMs });
  const tx = new Transaction(client, limitMs);
  let value: T;
  try {
    value = await body(tx);
  } catch (error) {
    // A client that cannot roll back is destroyed, and the server rolls back by itself.
    const clean = await tx.end("rollback", limitMs === undefined ? undefined : ROLLBACK_MS).then(
      () => true,
      () => false,
    );
    return { error, clean };
  }
  await tx.end("commit", limitMs);
  return { value };
}

/** A {@link Database} whose statements and transactions each run on one client of a source. */
export function databaseOver(source: ClientSource): Database {
  const running = new Set<Promise<unknown>>();
  const busy = new Set<pg.PoolClient>();
  const limitOf = (options: StatementOptions | undefined): number | undefined =>
    options?.limitMs ?? source.limitMs;
  let closing: Promise<void> | undefined;
  let heardAt: number | undefined;

  async function onClient<T>(work: (client: pg.PoolClient) => Promise<Outcome<T>>): Promise<T> {
    const client = await source.connect();
    busy.add(client);
    const outcome = await work(client).catch((error: unknown) => ({ error, clean: isAnswer(error) }));
    busy.delete(client);
    if ("value" in outcome || outcome.clean) heardAt = performance.now();
    if ("value" in outcome) {
      client.release();
      return outcome.value;
    }
    client.release(!outcome.clean);
    throw outcome.error;
  }

  function tracked<T>(work: (client: pg.PoolClient) => Promise<Outcome<T>>): Promise<T> {
    if (closing !== undefined) {
      return Promise.reject(
        new AtlasError("ATLAS_LOG_CLOSED", "the database was closed", { where: source.address }),
      );
    }
    const promise = onClient(work);
    const settled: Promise<unknown> = promise.then(
      () => running.delete(settled),
      () => running.delete(settled),
    );
    running.add(settled);
    return promise;
  }

  const listeners = new Set<Listener>();
  const { connectAlone } = source;

  async function closeAll(): Promise<void> {
    for (const listener of listeners) listener.close();
    if (!(await closeInTime(Promise.all(running), CLOSE_MS)))
      for (const client of busy) void client.end().catch(() => {});
    await closeInTime(source.close(), CLOSE_MS);
  }

  const query = <Row>(
    sql: string,
    params?: readonly unknown[],
    options?: RunOptions,
  ): Promise<QueryResult<Row>> =>
    tracked(async (client) => ({
      value: await run<Row>(client, sql, params, { ...options, limitMs: limitOf(options) }),
    }));

  return {
    address: source.address,
    heardAt: () => heardAt,
    query,
    parsing: (parsers) => ({ query: (sql, params, options) => query(sql, params, { ...options, parsers }) }),
    transaction: (body, options) =>
      tracked((client) => inTransaction(client, source.begin ?? "begin", limitOf(options), body)),
    ...(connectAlone !== undefined && {
      listen: (channel: string, heard: (payload: string) => void) => {
        const listener = listenOver(connectAlone, channel, heard);
        listeners.add(listener);
        return listener;
      },
    }),
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}
