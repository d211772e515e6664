/** Rows of one statement. */
export interface QueryResult<Row> {
  rows: Row[];
  rowCount: number;
}

/** How a statement, or each one of a transaction, is run. */
export interface StatementOptions {
  /**
   * Milliseconds after which an answer is waited for no more, and the connection is given up: the error is transient. What
   * is known to take long, such as a migration, says so; 30,000 on a server unless told, any time on the embedded one.
   */
  limitMs?: number | undefined;
}

/** For statements that may take long by right: of a migration, an index, a swap of tables. */
export const UNHURRIED: StatementOptions = { limitMs: 3_600_000 };

/** Parsers of values by the oid of their type. */
export type Parsers = Readonly<Record<number, (text: string) => unknown>>;

/** Something that runs SQL: a database, or one open transaction of it. */
export interface Queryable {
  query<Row = Record<string, unknown>>(
    sql: string,
    params?: readonly unknown[],
    options?: StatementOptions,
  ): Promise<QueryResult<Row>>;
  /**
   * The same with parsers of one's own. A large value is then parsed as it arrives, while the server works on the next row.
   * A client that is not ours does without.
   */
  parsing?(parsers: Parsers): Queryable;
}

/** Hears what other sessions of a database notify, until it is closed. */
export interface Listener {
  /** Whether notifications reach this process now: one of its own came through, and the connection is still there. */
  readonly hears: boolean;
  close(): void;
}

/** A Postgres database, whether a server or the embedded PGlite; the same SQL runs on both. */
export interface Database extends Queryable {
  /** Runs `body` in one transaction: commits when it resolves, rolls back and rethrows when it rejects. */
  transaction<T>(body: (tx: Queryable) => Promise<T>, options?: StatementOptions): Promise<T>;
  /**
   * Hears what other sessions notify on a channel, an identifier, until it is closed. Undefined where nothing can be heard.
   */
  readonly listen?: ((channel: string, heard: (payload: string) => void) => Listener) | undefined;
  /** When it last answered this process anything, by `performance.now()`; undefined where that is not known. */
  readonly heardAt?: (() => number | undefined) | undefined;
  /** Human-readable address without credentials, for messages. */
  readonly address: string;
  /** Ends when what runs has ended, or was given up after a while. */
  close(): Promise<void>;
}
