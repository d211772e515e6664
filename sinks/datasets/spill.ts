import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { openSqlite } from "../../log/file-lock.ts";
import { decodeEvent } from "../../schemas/codec.ts";
import type { AtlasEvent, Uuid } from "../../schemas/generated/events.ts";

/** A session that the dataset is made of. */
export interface PickedSession {
  session: Uuid;
  /** Microseconds. */
  created: number;
  learningKey: string;
  /** Rollouts of one group name the same. */
  group: string;
  split: string;
  /** Hash of task and answer. */
  identity: string;
  /** Hash of the session's record, whatever the bytes of its line. */
  digest: string;
  reward: number | null;
  status: string;
  reviewStatus: string;
  steps: number;
  simulated: boolean;
  /** The session of another split that it repeats. */
  leftOut: Uuid | null;
}

const TABLES = `
  create table facts (session text not null, fingerprint text not null, body blob not null);
  create table verdicts (session text primary key, takes integer not null) without rowid;
  create table own (session text not null, fingerprint text not null, body blob not null);
  create table picked (session text primary key, created integer not null, learning_key text not null,
    grp text not null, split text not null, identity text not null, digest text not null, reward real,
    status text not null, review_status text not null, steps integer not null, simulated integer not null,
    left_out text, place integer) without rowid;
  create table rows_of (session text not null, format text not null, text text not null);`;

const PICKED = `session, created, learning_key as learningKey, grp as "group", split, identity, digest, reward, status,
  review_status as reviewStatus, steps, simulated, left_out as leftOut`;

type EventRow = { fingerprint: string; body: Uint8Array };

const eventOf = ({ fingerprint, body }: EventRow): AtlasEvent =>
  decodeEvent(fingerprint, Buffer.from(body.buffer, body.byteOffset, body.byteLength));

/**
 * What a build has read and not written yet, on disk: the log has the events of many sessions interleaved, and of a
 * large one they do not fit into memory. Rows come back in the order in which they went in.
 */
export class Spill {
  readonly #db: DatabaseSync;
  readonly #addFact: StatementSync;
  readonly #addOwn: StatementSync;
  readonly #decide: StatementSync;
  readonly #verdict: StatementSync;
  readonly #pick: StatementSync;
  readonly #addRows: StatementSync;

  constructor(folder: string) {
    this.#db = openSqlite(join(folder, "spill.sqlite"));
    this.#db.exec(
      "pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive; pragma cache_size = -16384",
    );
    this.#db.exec(TABLES);
    this.#db.exec("begin");
    this.#addFact = this.#db.prepare("insert into facts values (?, ?, ?)");
    this.#addOwn = this.#db.prepare("insert into own values (?, ?, ?)");
    this.#decide = this.#db.prepare("insert into verdicts values (?, ?)");
    this.#verdict = this.#db.prepare("select takes from verdicts where session = ?");
    this.#pick = this.#db.prepare(
      "insert into picked values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null, null)",
    );
    this.#addRows = this.#db.prepare("insert into rows_of values (?, ?, ?)");
  }

  addFact(session: Uuid, fingerprint: string, body: Buffer): void {
    this.#addFact.run(session, fingerprint, body);
  }

  addOwn(session: Uuid, fingerprint: string, body: Buffer): void {
    this.#addOwn.run(session, fingerprint, body);
  }

  *#grouped(table: "facts" | "own"): Generator<[Uuid, AtlasEvent[]]> {
    this.#db.exec(`create index ${table}_session on ${table} (session)`);
    const rows = this.#db
      .prepare(`select session, fingerprint, body from ${table} order by session, rowid`)
      .iterate() as Iterable<EventRow & { session: Uuid }>;
    let session: Uuid | undefined;
    let events: AtlasEvent[] = [];
    for (const row of rows) {
      if (row.session !== session) {
        if (session !== undefined) yield [session, events];
        session = row.session;
        events = [];
      }
      events.push(eventOf(row));
    }
    if (session !== undefined) yield [session, events];
  }

  /** What was said of each session elsewhere than on its own topic; to be called once. */
  facts(): Generator<[Uuid, AtlasEvent[]]> {
    return this.#grouped("facts");
  }

  /** The own events of each session, by session; to be called once. */
  sessions(): Generator<[Uuid, AtlasEvent[]]> {
    return this.#grouped("own");
  }

  factsOf(session: Uuid): AtlasEvent[] {
    const rows = this.#db
      .prepare("select fingerprint, body from facts where session = ? order by rowid")
      .all(session) as unknown as EventRow[];
    return rows.map(eventOf);
  }

  /** Notes whether a session may be part of the dataset, by what was said of it. */
  decide(session: Uuid, takes: boolean): void {
    this.#decide.run(session, takes ? 1 : 0);
  }

  /** What was noted; undefined for a session that nothing was said of. */
  verdictOn(session: Uuid): boolean | undefined {
    const row = this.#verdict.get(session) as { takes: number } | undefined;
    return row === undefined ? undefined : row.takes === 1;
  }

  pick(picked: Omit<PickedSession, "leftOut">): void {
    const { session, created, learningKey, group, split, identity, digest, reward } = picked;
    const { status, reviewStatus, steps, simulated } = picked;
    const of = [session, created, learningKey, group, split, identity, digest, reward] as const;
    this.#pick.run(...of, status, reviewStatus, steps, simulated ? 1 : 0);
  }

  addRows(session: Uuid, format: string, text: string): void {
    this.#addRows.run(session, format, text);
  }

  /** Leaves out of a split what repeats a session of another one, and numbers what is left, newest first. */
  settle(trainingSplit: string): void {
    this.#db.exec("create index picked_identity on picked (identity, split)");
    this.#db.exec("create index rows_session on rows_of (session, format)");
    this.#db
      .prepare(
        `update picked set left_out = (select min(other.session) from picked other
            where other.identity = picked.identity and other.split <> picked.split) where split = ?`,
      )
      .run(trainingSplit);
    this.#db.exec(
      `update picked set place = numbered.place from
         (select session, row_number() over (partition by split order by created desc, session) - 1 as place
            from picked where left_out is null) numbered
        where numbered.session = picked.session`,
    );
    this.#db.exec("create index picked_place on picked (split, place)");
  }

  /** Every session by its id, those that were left out, too. */
  *picked(): Generator<PickedSession> {
    const rows = this.#db.prepare(`select ${PICKED} from picked order by session`).iterate();
    for (const row of rows as Iterable<Omit<PickedSession, "simulated"> & { simulated: number }>)
      yield { ...row, simulated: row.simulated === 1 };
  }

  /** How many sessions a split has. */
  countOf(split: string): number {
    const row = this.#db
      .prepare("select count(*) as count from picked where split = ? and left_out is null")
      .get(split) as { count: number };
    return row.count;
  }

  /** What a format has of the sessions of one shard of a split, newest session first. */
  *rows(split: string, format: string, shard: number, shards: number): Generator<string> {
    const found = this.#db
      .prepare(
        `select r.text from picked p join rows_of r on r.session = p.session and r.format = ?
          where p.split = ? and p.place is not null and p.place % ? = ? order by p.place`,
      )
      .iterate(format, split, shards, shard) as Iterable<{ text: string }>;
    for (const { text } of found) yield text;
  }

  /** The same for a format whose rows are made of all sessions of a group: a list for each group. */
  *groups(split: string, format: string, shard: number, shards: number): Generator<string[]> {
    const groups = this.#db
      .prepare(
        `select grp from (select grp, row_number() over (order by min(place)) - 1 as place from picked
            where split = ? and place is not null group by grp) where place % ? = ? order by place`,
      )
      .iterate(split, shards, shard) as Iterable<{ grp: string }>;
    const members = this.#db.prepare(
      `select r.text from picked p join rows_of r on r.session = p.session and r.format = ?
        where p.grp = ? and p.split = ? and p.place is not null order by p.session`,
    );
    for (const { grp } of groups)
      yield (members.all(format, grp, split) as unknown as { text: string }[]).map(({ text }) => text);
  }

  close(): void {
    this.#db.close();
  }
}
