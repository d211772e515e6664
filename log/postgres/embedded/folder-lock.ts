import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";

/** The process that holds an embedded log's folder. */
export interface Holder {
  pid: number;
  /** Its program and the first word after it; further arguments may hold secrets. */
  command: string;
  /** ISO time since when. */
  since: string;
}

/** What the holder writes down for the others. */
export interface HolderRecord extends Holder {
  /** Folder of the socket that it serves on; the others may have another idea of the temporary folder. */
  sockets: string;
}

/** An exclusive lock on a folder; the operating system frees it when the process ends, however it ends. */
export interface FolderLock {
  readonly holder: Holder;
  release(): void;
}

const SQLITE_BUSY = 5;
const HOLDER = "holder.json";

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

/** Takes the lock of a folder and says so in it, or returns undefined when another process (or handle) has it. */
export function tryLock(folder: string, sockets: string): FolderLock | undefined {
  const database = openSqlite(join(folder, "lock.sqlite"));
  try {
    database.exec("begin exclusive");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  const record = join(folder, HOLDER);
  const holder: Holder = { pid: process.pid, command: commandLine(), since: new Date().toISOString() };
  try {
    // Others read it at any time. Only who has the lock writes it, so that the name of the new one can be fixed.
    writeFileSync(`${record}.new`, `${JSON.stringify({ ...holder, sockets } satisfies HolderRecord)}\n`);
    renameSync(`${record}.new`, record);
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    holder,
    release() {
      rmSync(record, { force: true });
      database.close();
    },
  };
}

function commandLine(): string {
  const [, script = "node", verb] = process.argv;
  const name = script.split("/").at(-1) ?? script;
  return verb === undefined || verb.startsWith("-") ? name : `${name} ${verb}`;
}

/** Who holds the folder, as far as its holder said so; it may be gone since. */
export function readHolder(folder: string): HolderRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, HOLDER), "utf8")) as HolderRecord;
  } catch {
    return undefined;
  }
}
