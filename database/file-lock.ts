import { chmodSync, closeSync, openSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

/** An exclusive lock; the operating system frees it when the process ends, however it ends. */
export interface FileLock {
  release(): void;
}

const SQLITE_BUSY = 5;

/** Node 22 calls its SQLite experimental at every start; users need not hear it from a lock file. */
function openSqlite(path: string): DatabaseSync {
  const warn = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith("SQLite is an experimental feature")) {
      (warn as (...all: unknown[]) => void).call(process, warning, ...rest);
    }
  }) as typeof process.emitWarning;
  try {
    return new (process.getBuiltinModule("node:sqlite").DatabaseSync)(path);
  } finally {
    process.emitWarning = warn;
  }
}

/**
 * Makes sure that a lock's file is its owner's alone: who may read it could lock the owner out. A file that is there is
 * not opened, because closing it would free the lock that another handle of this process has on it.
 */
function preparePrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const { uid, mode } = statSync(path);
    if (uid === process.getuid?.() && (mode & 0o077) !== 0) chmodSync(path, 0o600);
  }
}

/**
 * Takes the lock that a file stands for, creating the file; undefined when another process (or handle) has it.
 *
 * @example
 * const lock = tryFileLock("data/lock.sqlite");
 */
export function tryFileLock(path: string): FileLock | undefined {
  preparePrivate(path);
  const database = openSqlite(path);
  try {
    database.exec("begin exclusive");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}
