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
 * Takes the lock that a file stands for, creating the file; undefined when another process (or handle) has it.
 *
 * @example
 * const lock = tryFileLock("data/lock.sqlite");
 */
export function tryFileLock(path: string): FileLock | undefined {
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
