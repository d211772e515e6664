import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, realpathSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { extname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import pg from "pg";
import { AtlasError, messageOf } from "../../../errors/atlas-error.ts";
import type { Database } from "../database.ts";
import { inTransaction, poolDatabase } from "../pg-database.ts";
import { type FolderLock, type Holder, readHolder, tryLock } from "./folder-lock.ts";
import type { WorkerInput, WorkerMessage } from "./worker.ts";

/** A PGlite database in a folder. */
export interface EmbeddedDatabase extends Database {
  /** Whether this process serves the database, or works through the process that does. */
  readonly role: "holder" | "guest";
  /** The process that serves it, as far as it said so. */
  readonly holder: Holder | undefined;
}

/** How to open an embedded database. */
export interface EmbeddedOptions {
  /** Work through the process that holds the folder, instead of refusing to; true unless told. */
  guests?: boolean;
}

/** How long a held folder's holder may take to answer, its start included. */
const PATIENCE_MS = 12_000;

interface Serving {
  lock: FolderLock;
  worker: Worker;
}

/**
 * Where clients meet the holder: outside the folder, because the path of a socket must be short. The folder of the
 * socket belongs to this user alone, which stands in for a password.
 */
function socketFolder(folder: string): string {
  const { uid } = userInfo();
  const hash = createHash("sha256").update(folder).digest("hex").slice(0, 12);
  const path = join(tmpdir(), `atlas-${uid}-${hash}`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  if (!found.isDirectory() || (uid >= 0 && found.uid !== uid) || (found.mode & 0o077) !== 0) {
    throw new AtlasError(
      "ATLAS_FILE_UNWRITABLE",
      "the socket's folder belongs to another user, or is open to others",
      {
        where: path,
        hint: "Remove it, or point TMPDIR at a folder of your own.",
      },
    );
  }
  return path;
}

function prepareFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
    return realpathSync(folder);
  } catch (error) {
    throw unwritable(folder, error);
  }
}

function unwritable(folder: string, error: unknown): AtlasError {
  if (/ENOSPC|no space|disk i\/o|database or disk is full/i.test(messageOf(error))) {
    return new AtlasError("ATLAS_DISK_FULL", "no space is left for the embedded log", {
      where: folder,
      hint: "Free some space and try again.",
      retryable: true,
      cause: error,
    });
  }
  return new AtlasError(
    "ATLAS_FILE_UNWRITABLE",
    `the embedded log's folder cannot be used: ${messageOf(error)}`,
    {
      where: folder,
      hint: "Name a folder that you may write to.",
      cause: error,
    },
  );
}

function startWorker(input: WorkerInput): Promise<Worker> {
  const worker = new Worker(new URL(`./worker${extname(import.meta.url)}`, import.meta.url), {
    workerData: input,
  });
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (message: WorkerMessage) => {
      if (message.kind === "ready") {
        worker.unref();
        worker.on("error", () => undefined);
        resolve(worker);
      } else {
        void worker.terminate();
        reject(new Error(message.kind === "failed" ? message.message : "it ended at once"));
      }
    });
  });
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });

function held(folder: string): AtlasError {
  const holder = readHolder(folder);
  const who =
    holder === undefined
      ? "another process"
      : `process ${holder.pid} (${holder.command}, since ${holder.since})`;
  return new AtlasError("ATLAS_LOG_HELD", `${who} holds the embedded log`, {
    where: folder,
    hint: "Wait for it or end it, or use another folder (log.path) or a Postgres server.",
    retryable: true,
  });
}

/** Errors of a connection that was never made: nothing was sent, so trying again is safe. */
const notConnected = (error: unknown): boolean =>
  ["ECONNREFUSED", "ENOENT", "ENOTSOCK"].includes((error as NodeJS.ErrnoException)?.code ?? "");

/**
 * Opens the embedded database of a folder: this process serves it, or, where another one does, works through that.
 * When the serving process goes away, the next one that needs the database takes its place.
 *
 * @param folder created where it is missing; holds `pgdata/`, the lock and who holds it
 * @throws AtlasError ATLAS_LOG_HELD, ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL
 * @example
 * const db = await openEmbedded(".atlas");
 */
export async function openEmbedded(folder: string, options: EmbeddedOptions = {}): Promise<EmbeddedDatabase> {
  const home = prepareFolder(folder);
  const sockets = socketFolder(home);
  const socket = join(sockets, ".s.PGSQL.5432");
  let serving: Serving | undefined;
  let joining: Promise<void> | undefined;
  let closed = false;

  const tryServe = async (): Promise<boolean> => {
    let lock: FolderLock | undefined;
    try {
      lock = tryLock(home);
      if (lock === undefined) return false;
      serving = { lock, worker: await startWorker({ folder: home, socket }) };
      return true;
    } catch (error) {
      lock?.release();
      throw unwritable(home, error);
    }
  };

  const join_ = async (): Promise<void> => {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      if (closed) throw new AtlasError("ATLAS_LOG_CLOSED", "the embedded log was closed", { where: home });
      if (await tryServe()) return;
      if (options.guests === false) throw held(home);
      if (await answers(socket)) return;
      if (Date.now() > until) throw held(home);
      await sleep(50);
    }
  };

  const ensure = (): Promise<void> => {
    joining ??= join_().finally(() => {
      joining = undefined;
    });
    return joining;
  };

  await ensure();
  const pool = new pg.Pool({
    host: sockets,
    port: 5432,
    user: "postgres",
    database: "postgres",
    max: 4,
    allowExitOnIdle: true,
  });
  const inner = poolDatabase(pool, `embedded:${home}`);
  const connect = async (): Promise<pg.PoolClient> => {
    for (;;) {
      try {
        return await pool.connect();
      } catch (error) {
        if (!notConnected(error)) throw error;
        await ensure();
      }
    }
  };

  return {
    address: inner.address,
    get role() {
      return serving === undefined ? "guest" : "holder";
    },
    get holder() {
      return readHolder(home);
    },
    query: async (sql, params) => {
      const client = await connect();
      let failure: Error | undefined;
      try {
        const result = await (params === undefined ? client.query(sql) : client.query(sql, [...params]));
        const last = Array.isArray(result) ? result.at(-1)! : result;
        return { rows: last.rows, rowCount: last.rowCount ?? 0 };
      } catch (error) {
        failure = error as Error;
        throw error;
      } finally {
        client.release(failure !== undefined && !("severity" in failure) ? failure : undefined);
      }
    },
    transaction: async (body) => inTransaction(await connect(), body),
    close: async () => {
      if (closed) return;
      closed = true;
      await joining?.catch(() => undefined);
      await pool.end();
      if (serving === undefined) return;
      const { worker, lock } = serving;
      await new Promise<void>((resolve) => {
        worker.once("message", () => resolve());
        worker.once("exit", () => resolve());
        worker.postMessage("close");
      });
      await worker.terminate();
      lock.release();
    },
  };
}
