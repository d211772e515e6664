import type pg from "pg";
import { AtlasError } from "../errors/atlas-error.ts";
import type { Database, Queryable, QueryResult } from "./database.ts";

/** Where a {@link Database} gets its node-postgres clients from. */
export interface ClientSource {
  /** Human-readable address without credentials. */
  address: string;
  /** A client for one statement or one transaction, given back with `release`. */
  connect(): Promise<pg.PoolClient>;
  /** What begins a transaction; `begin` unless told. */
  begin?: string;
  /** Called once, when nothing runs any more. */
  close(): Promise<void>;
}

/** How work on a client ended, and whether the client can be used again. */
type Outcome<T> = { value: T } | { error: unknown; clean: boolean };

/** Only an answer of the database itself leaves no doubt about the state of its connection. */
const isAnswer = (error: unknown): boolean =>
  error instanceof Error && "severity" in error && error.severity === "ERROR";

async function run<Row>(
  client: pg.PoolClient,
  sql: string,
  params?: readonly unknown[],
): Promise<QueryResult<Row>> {
  const answer: pg.QueryResult | pg.QueryResult[] = await client.query(sql, params && [...params]);
  // Several statements in one text are answered by a list; the last of them counts.
  const last = Array.isArray(answer) ? answer.at(-1) : answer;
  return { rows: (last?.rows ?? []) as Row[], rowCount: last?.rowCount ?? 0 };
}

/** A transaction as its body sees it: one statement after the other, and none after its end. */
class Transaction implements Queryable {
  private readonly client: pg.PoolClient;
  private tail: Promise<unknown> = Promise.resolve();
  private ended = false;

  constructor(client: pg.PoolClient) {
    this.client = client;
  }

  query<Row>(sql: string, params?: readonly unknown[]): Promise<QueryResult<Row>> {
    if (this.ended) {
      return Promise.reject(new AtlasError("ATLAS_UNEXPECTED", "a transaction was used after its end"));
    }
    const answer = this.tail.then(() => run<Row>(this.client, sql, params));
    this.tail = answer.catch(() => undefined);
    return answer;
  }

  async end(statement: "commit" | "rollback"): Promise<void> {
    this.ended = true;
    await this.tail;
    const { command } = await this.client.query(statement);
    // Postgres answers the commit of a failed transaction with success, and the tag ROLLBACK.
    if (statement === "commit" && command === "ROLLBACK") {
      throw new AtlasError("ATLAS_UNEXPECTED", "a statement failed, yet its transaction was to be committed");
    }
  }
}

async function inTransaction<T>(
  client: pg.PoolClient,
  begin: string,
  body: (tx: Queryable) => Promise<T>,
): Promise<Outcome<T>> {
  await client.query(begin);
  const tx = new Transaction(client);
  let value: T;
  try {
    value = await body(tx);
  } catch (error) {
    // A client that cannot roll back is destroyed, and the server rolls back by itself.
    const clean = await tx.end("rollback").then(
      () => true,
      () => false,
    );
    return { error, clean };
  }
  await tx.end("commit");
  return { value };
}

/** A {@link Database} whose statements and transactions each run on one client of a source. */
export function databaseOver(source: ClientSource): Database {
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  async function onClient<T>(work: (client: pg.PoolClient) => Promise<Outcome<T>>): Promise<T> {
    const client = await source.connect();
    const outcome = await work(client).catch((error: unknown) => ({ error, clean: isAnswer(error) }));
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

  return {
    address: source.address,
    query: <Row>(sql: string, params?: readonly unknown[]) =>
      tracked(async (client) => ({ value: await run<Row>(client, sql, params) })),
    transaction: (body) => tracked((client) => inTransaction(client, source.begin ?? "begin", body)),
    close() {
      closing ??= Promise.all(running).then(() => source.close());
      return closing;
    },
  };
}
