import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import { type RetryOptions, retry } from "../../errors/retry.ts";
import { privateFolder } from "../../files/folders.ts";
import type { Database } from "../database.ts";
import { TYPES } from "../int8.ts";
import type { Migrations } from "../migrate.ts";
import { databaseOver } from "../pool-database.ts";
import { quiet } from "../quiet-pool.ts";
import { isTransient } from "../transient.ts";
import { brokenError, folderError, heldError } from "./folder-errors.ts";
import { type FolderLock, type Holder, type HolderRecord, readHolder, tryLock } from "./folder-lock.ts";
import { type ServerThread, startServer } from "./server-thread.ts";
import { checkOwned, makeSocketFolder, removeSocketFolder, socketFolder, socketIn } from "./socket-folder.ts";
import { tidySockets } from "./tidy-sockets.ts";

/** A PGlite database in a folder. */
export interface EmbeddedDatabase extends Database {
  /** Whether this handle serves the database, or works through the one that does; it may change. */
  readonly role: "holder" | "guest";
  /** The process that serves it, as far as it said so. */
  readonly holder: Holder | undefined;
}

/** How to open an embedded database. */
export interface EmbeddedOptions {
  /** Work through the process that holds the folder, instead of refusing to; true unless told. */
  guests?: boolean;
  /** Write a commit to the disk before it is confirmed; true unless told. Whoever serves the folder decides for all. */
  durable?: boolean;
  /**
   * What a new folder holds from the start, so that to `migrate` it leaves nothing to do; none unless told. They are made once,
   * in a template.
   */
  tables?: readonly Migrations[];
}

/** How long the holder of a folder may take to answer. */
const ANSWER_MS = 5_000;
/** How long it may take to start: the first start of all initialises the database. */
const START_MS = 30_000;
const RETRY_MS = 25;
/** How often a statement's connection is tried anew after a holder went away. */
const PATIENCE: RetryOptions = { firstMs: RETRY_MS, longestMs: 2 * RETRY_MS, tries: 3 };
/** More than one, so that the next statement is already there when PGlite has finished the one before. */
const CLIENTS = 4;

/** One way to the database: by serving it, or through who does. */
interface Way {
  sockets: string;
  holder: Holder | undefined;
  /** Present where this handle serves. */
  serving?: { lock: FolderLock; server: ServerThread };
}

function prepareFolder(folder: string): string {
  try {
    return privateFolder(folder);
  } catch (error) {
    throw folderError(folder, error);
  }
}

async function tryToServe(home: string, options: EmbeddedOptions): Promise<Way | undefined> {
  const { durable = true, tables = [] } = options;
  const sockets = socketFolder(home);
  let lock: FolderLock | undefined;
  try {
    lock = tryLock(home, sockets);
    if (lock === undefined) return undefined;
    makeSocketFolder(sockets);
    const place = { folder: home, socket: socketIn(sockets), durable, tables };
    const server = await startServer(place).catch((error: unknown) => {
      removeSocketFolder(sockets);
      throw error;
    });
    void tidySockets(sockets);
    return { sockets, holder: lock.holder, serving: { lock, server } };
  } catch (error) {
    lock?.release();
    throw folderError(home, error);
  }
}

const holderOf = ({ pid, command, since }: HolderRecord): Holder => ({ pid, command, since });

async function leave({ sockets, serving }: Way): Promise<void> {
  if (serving === undefined) return;
  await serving.server.stop();
  removeSocketFolder(sockets);
  serving.lock.release();
}

/** Settings that neither the environment nor a password file changes. A thread of our own may be busy for long. */
const connectionTo = (sockets: string, own = false): pg.ClientConfig => ({
  host: sockets,
  port: 5432,
  user: "postgres",
  password: "",
  database: "postgres",
  options: "",
  ssl: false,
  types: TYPES,
  connectionTimeoutMillis: own ? 0 : ANSWER_MS,
});

const isRead = (sql: string): boolean => /^\s*select\b/i.test(sql) && !sql.includes("atlas_log.append");

const isTimeout = (error: unknown): boolean => messageOf(error).includes("timeout");

/** What one finds where a holder should serve: it answers, it lets one wait, or nobody is there (yet). */
async function probe(sockets: string): Promise<"answers" | "hangs" | "absent"> {
  const socket = new Socket();
  const client = new pg.Client({ ...connectionTo(sockets), stream: () => socket });
  client.on("error", () => undefined);
  try {
    checkOwned(sockets);
    await client.connect();
    return "answers";
  } catch (error) {
    if (isAtlasError(error)) throw error;
    return isTimeout(error) ? "hangs" : "absent";
  } finally {
    // Not `end()`: it waits until the holder hangs up, and one that was just stopped never does.
    socket.destroy();
  }
}

/** Whether a holder is absent for too long: it may have to finish its start first, where it began lately. */
function isOverdue(waitedMs: number, record: HolderRecord | undefined): boolean {
  // The clock may have been set since it wrote that down.
  const ageMs = Date.now() - (Date.parse(record?.since ?? "") || Number.POSITIVE_INFINITY);
  return waitedMs > ANSWER_MS && Math.max(waitedMs, ageMs) > START_MS;
}

async function findWay(home: string, options: EmbeddedOptions): Promise<Way> {
  const { guests = true } = options;
  for (const begun = performance.now(); ; await sleep(RETRY_MS)) {
    const own = await tryToServe(home, options);
    if (own !== undefined) return own;
    const record = readHolder(home);
    if (!guests) throw heldError(home, record, "");
    const found = record === undefined ? "absent" : await probe(record.sockets);
    if (record !== undefined && found === "answers")
      return { sockets: record.sockets, holder: holderOf(record) };
    if (found === "hangs" || isOverdue(performance.now() - begun, record)) {
      throw heldError(home, record, " and does not answer");
    }
  }
}

/**
 * Opens the embedded database of a folder: this process serves it, or, where another one does, works through that.
 * When the serving process goes away, work in flight fails with a transient error, and the next call takes its place
 * or finds who did.
 *
 * All handles share one session of PGlite, which runs one transaction at a time. Inside a transaction use nothing but
 * that: a statement of the database itself would wait for its end. `set` only `local`; no temporary tables, no `copy`
 * from a client, no session-level advisory locks; time limits of statements and locks have no effect.
 *
 * @param folder created where it is missing; holds `pgdata/`, the lock, and who holds it
 * @throws AtlasError ATLAS_LOG_HELD, ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL, ATLAS_DISK_FAILED, ATLAS_LOG_NOT_DURABLE
 * @example
 * const db = await openEmbedded(".atlas");
 */
export async function openEmbedded(folder: string, options: EmbeddedOptions = {}): Promise<EmbeddedDatabase> {
  const home = prepareFolder(folder);
  let way: Way | undefined;
  let finding: Promise<Way> | undefined;

  const find = (): Promise<Way> => {
    finding ??= findWay(home, options)
      .then((found) => {
        way = found;
        // After a crash of PGlite whoever comes next starts it again.
        void found.serving?.server.ended.then(() => drop(found));
        return found;
      })
      .finally(() => {
        finding = undefined;
      });
    return finding;
  };

  const drop = async (lost: Way): Promise<void> => {
    if (way !== lost) return;
    way = undefined;
    await leave(lost);
  };

  class Client extends pg.Client {
    constructor() {
      super(connectionTo(way?.sockets ?? socketFolder(home), way?.serving !== undefined));
    }
  }
  const pool = quiet(new pg.Pool({ max: CLIENTS, allowExitOnIdle: true, Client }));

  /** Who looked for the way to the database has waited for it already. */
  const passes = (error: unknown): boolean => !isAtlasError(error);

  const connectOnce = async (): Promise<pg.PoolClient> => {
    const current = way ?? (await find());
    try {
      return await pool.connect();
    } catch (error) {
      // Nothing was sent yet, so that trying again is safe. A holder that lets one wait is still the holder.
      if (!isTimeout(error)) await drop(current);
      throw error;
    }
  };

  /** What a disk did that failed stands in the place of what a client of the lost database sees. */
  async function explained<T>(work: () => Promise<T>): Promise<T> {
    const server = way?.serving?.server;
    try {
      return await work();
    } catch (error) {
      const failure = isTransient(error) && !isAtlasError(error) ? server?.failure() : undefined;
      throw brokenError(home, error) ?? brokenError(home, failure) ?? error;
    }
  }

  await find();
  const database = databaseOver({
    address: `embedded:${home}`,
    connect: () => retry(connectOnce, { ...PATIENCE, passes }),
    connectAlone: async () => {
      const { sockets, serving } = way ?? (await find());
      const socket = new Socket();
      const client = new pg.Client({ ...connectionTo(sockets, serving !== undefined), stream: () => socket });
      await client.connect();
      socket.unref();
      return client;
    },
    async close() {
      await pool.end();
      if (way !== undefined) await drop(way);
    },
  });
  return {
    address: database.address,
    query<Row>(sql: string, params?: readonly unknown[]) {
      // A read can be asked again: the holder went away, and somebody takes its place. One that hangs does not.
      const passes = (error: unknown): boolean => isRead(sql) && isTransient(error) && !isTimeout(error);
      return explained(() => retry(() => database.query<Row>(sql, params), { ...PATIENCE, passes }));
    },
    transaction: (body, limits) => explained(() => database.transaction(body, limits)),
    listen: database.listen,
    heardAt: database.heardAt,
    close: database.close,
    get role() {
      return way?.serving === undefined ? "guest" : "holder";
    },
    get holder() {
      return way?.holder;
    },
  };
}
