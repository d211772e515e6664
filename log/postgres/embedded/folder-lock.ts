import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";

/** The process that holds an embedded log's folder. */
export interface Holder {
  pid: number;
  command: string;
  /** ISO time since when. */
  since: string;
}

/** An exclusive lock on a folder; the operating system frees it when the process ends, however it ends. */
export interface FolderLock {
  release(): void;
}

const HOLDER = "holder.json";

/** Node calls its SQLite experimental at every start; users need not hear it from a lock file. */
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

/** Takes the lock of a folder, or returns undefined when another process has it. */
export function tryLock(folder: string): FolderLock | undefined {
  const database = openSqlite(join(folder, "lock.sqlite"));
  try {
    database.exec("pragma locking_mode = exclusive; pragma journal_mode = memory; begin exclusive");
  } catch (error) {
    database.close();
    if (/locked|busy/i.test((error as Error).message)) return undefined;
    throw error;
  }
  const holder: Holder = { pid: process.pid, command: commandLine(), since: new Date().toISOString() };
  writeFileSync(join(folder, HOLDER), `${JSON.stringify(holder)}\n`);
  return {
    release: () => {
      rmSync(join(folder, HOLDER), { force: true });
      database.close();
    },
  };
}

/** Arguments may hold secrets, so only the program and its first word are told. */
function commandLine(): string {
  const [, script = "node", verb] = process.argv;
  const name = script.split("/").at(-1) ?? script;
  return verb === undefined || verb.startsWith("-") ? name : `${name} ${verb}`;
}

/** Who holds the folder, as far as its holder said so. */
export function readHolder(folder: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, HOLDER), "utf8")) as Holder;
  } catch {
    return undefined;
  }
}
