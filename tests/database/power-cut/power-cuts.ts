import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "../../../database/database.ts";
import { openEmbedded } from "../../../database/embedded/open-embedded.ts";
import { messageOf } from "../../../errors/atlas-error.ts";
import type { EventLog } from "../../../log/event-log.ts";
import { openPostgresLog } from "../../../log/postgres/open-postgres-log.ts";
import { fact } from "../../log/facts.ts";
import { seeded } from "../../soak/random.ts";
import { type Data, Disk, type Names } from "./disk.ts";
import { type Op, recordingDisk } from "./recording.ts";

const SESSION = "01a205d0-626c-7728-8324-9cb0f586440b";

/** What an embedded log did, and when it had confirmed how many events. */
export interface History {
  /** What the disk held before, all of it synced; nothing where it is undefined. */
  begin: string | undefined;
  ops: Op[];
  /** By the number of operations that had happened before: how many events were confirmed then. */
  confirmed: { after: number; events: number }[];
}

/** Where a power cut happens, and what the disk makes of it. */
export interface Cut {
  after: number;
  names: Names;
  data: Data;
}

const VARIANTS: readonly Omit<Cut, "after">[] = (["journal", "synced", "all"] as const).flatMap((names) =>
  (["dropped", "torn"] as const).map((data) => ({ names, data })),
);

/** The variants take turns. */
export const cutAt = (after: number, turn = after): Cut => ({
  after,
  ...(VARIANTS[turn % VARIANTS.length] as Omit<Cut, "after">),
});

type Life = (add: (count: number, bytes?: number) => Promise<void>, db: Database) => Promise<void>;

async function withLog<T>(
  folder: string,
  durable: boolean,
  work: (log: EventLog, db: Database) => Promise<T>,
): Promise<T> {
  const db = await openEmbedded(folder, { durable });
  const log = await openPostgresLog({ db, embedded: true });
  try {
    return await work(log, db);
  } finally {
    await log.close();
    await db.close();
  }
}

/** How a history is recorded. */
interface RecordOptions {
  folder: string;
  /** How many events it holds already. */
  from?: number;
  durable?: boolean;
}

/** Lets an embedded log live once or several times in a folder, above a disk that records it. */
async function record(
  { folder, from = 0, durable = true }: RecordOptions,
  lives: readonly Life[],
): Promise<Omit<History, "begin">> {
  const disk = recordingDisk();
  const ops: Op[] = [];
  const confirmed: History["confirmed"] = [{ after: 0, events: from }];
  let events = from;
  try {
    for (const life of lives) {
      const noted: { count: number; events: number }[] = [];
      await withLog(folder, durable, (log, db) =>
        life(async (count, bytes = 10) => {
          for (let n = 0; n < count; n += 1) {
            await log.append([log.mask(fact(SESSION, events + 1, "because".padEnd(bytes, "x")))]);
            events += 1;
            noted.push({ count: disk.count("ops"), events });
          }
        }, db),
      );
      const recorded = disk.take();
      for (const { count, events } of noted) {
        // It was the last answer that said so; what the disk did after that is not needed for it.
        const answer = recorded.slice(0, count).findLastIndex(({ kind }) => kind === "answer");
        confirmed.push({ after: ops.length + answer + 1, events });
      }
      for (const op of recorded) ops.push(op);
    }
  } finally {
    disk.restore();
  }
  return { ops, confirmed };
}

/** A new folder: appends across segments of the write-ahead log, checkpoints, new and removed tables, a second start. */
export async function firstHistory(home: string, durable = true): Promise<History> {
  const folder = join(home, "first");
  const recorded = await record({ folder, durable }, [
    async (add, db) => {
      await add(4);
      await db.query("checkpoint");
      await db.query("create table other (n int primary key, body text)");
      await db.query("checkpoint");
      await db.query("insert into other select g, md5(g::text) from generate_series(1, 500) g");
      await add(6, 150_000);
      await db.query("vacuum (analyze) other");
      await db.query("update other set body = body || 'x' where n % 3 = 0");
      await add(3);
      await db.query("checkpoint");
      await db.query("truncate other");
      await add(2, 400_000);
      await db.query("drop table other");
      await add(2);
      await db.query("checkpoint");
      await add(3);
    },
    async (add) => add(4),
  ]);
  return { begin: undefined, ...recorded };
}

/** What a log does that starts after a power cut: it recovers first. */
export async function laterHistory(
  home: string,
  { first, cut }: { first: History; cut: Cut },
): Promise<History> {
  const [begin, folder] = [join(home, "begin"), join(home, "later")];
  const disk = new Disk();
  for (const op of first.ops.slice(0, cut.after)) disk.apply(op);
  for (const target of [begin, folder]) disk.cut(target, { ...cut, random: seeded(cut.after) });
  const found = await eventsIn(begin, false);
  // Looking has changed it.
  rmSync(begin, { recursive: true });
  disk.cut(begin, { ...cut, random: seeded(cut.after) });
  const recorded = await record({ folder, from: found }, [
    async (add, db) => {
      await add(2);
      await db.query("checkpoint");
      await add(2);
    },
  ]);
  return { begin, ...recorded };
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** What each index finds, and what is in its table. */
async function checkIndexes(db: Database): Promise<void> {
  const { rows } = await db.query<{ name: string; columns: string }>(
    `select i.indrelid::regclass::text as name, string_agg(quote_ident(a.attname), ', ' order by k.at) as columns
     from pg_index i join pg_class c on c.oid = i.indrelid and c.relnamespace not in
       ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace, 'information_schema'::regnamespace)
     cross join unnest(i.indkey) with ordinality k (attnum, at)
     join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
     where i.indisprimary group by 1, i.indexrelid`,
  );
  for (const { name, columns } of rows) {
    const read = (...off: string[]): Promise<unknown[]> =>
      db.transaction(async (tx) => {
        for (const kind of off) await tx.query(`set local enable_${kind} = off`);
        return (await tx.query(`select md5(t::text) from ${name} t order by ${columns}`)).rows;
      });
    if (!same(await read("seqscan", "sort"), await read("indexscan", "indexonlyscan", "bitmapscan")))
      throw new Error(`an index of ${name} differs from the table`);
  }
}

/** Opens what a power cut left, checks that it is whole and can be gone on with, and counts its events. */
// Nobody cuts the power meanwhile.
const eventsIn = (folder: string, goesOn = true): Promise<number> =>
  withLog(folder, false, async (log, db) => {
    const found: number[] = [];
    const read = async (): Promise<void> => {
      found.length = 0;
      for await (const batch of log.read(["atlas.sessions"]))
        for (const { event } of batch) found.push(event.meta.sequence);
      const whole = found.every((sequence, index) => sequence === index + 1);
      if (!whole) throw new Error(`the order is not whole: ${found.join(" ")}`);
    };
    await read();
    const before = found.length;
    if (!goesOn) return before;
    await checkIndexes(db);
    await log.append([log.mask(fact(SESSION, before + 1))]);
    await read();
    if (found.length !== before + 1) throw new Error("what was appended after it is not there");
    return before;
  });

/** Cuts the power at some moments of a history, in order, and says what was wrong then. */
export async function problemsAfter(history: History, cuts: readonly Cut[]): Promise<string[]> {
  const problems: string[] = [];
  const disk = history.begin === undefined ? new Disk() : Disk.of(history.begin);
  let done = 0;
  for (const cut of cuts.toSorted((one, other) => one.after - other.after)) {
    for (; done < cut.after; done += 1) disk.apply(history.ops[done] as Op);
    const folder = mkdtempSync(join(tmpdir(), "atlas-power-cut-"));
    try {
      disk.cut(folder, { ...cut, random: seeded(cut.after) });
      const confirmed = history.confirmed.findLast(({ after }) => after <= cut.after)?.events ?? 0;
      const found = await eventsIn(folder);
      if (found < confirmed) throw new Error(`${found} events of ${confirmed} confirmed ones`);
    } catch (error) {
      problems.push(`${JSON.stringify(cut)}: ${messageOf(error)}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return problems;
}
