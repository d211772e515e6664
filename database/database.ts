/** Rows of one statement. */
export interface QueryResult<Row> {
  rows: Row[];
  rowCount: number;
}

/** Something that runs SQL: a database, or one open transaction of it. */
export interface Queryable {
  query<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<QueryResult<Row>>;
}

/** A Postgres database, whether a server or the embedded PGlite; the same SQL runs on both. */
export interface Database extends Queryable {
  /** Runs `body` in one transaction: commits when it resolves, rolls back and rethrows when it rejects. */
  transaction<T>(body: (tx: Queryable) => Promise<T>): Promise<T>;
  /** Human-readable address without credentials, for messages. */
  readonly address: string;
  close(): Promise<void>;
}
