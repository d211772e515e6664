import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../../files/whole-file.ts";
import { tryFileLock } from "../file-lock.ts";

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

const HOLDER = "holder.json";

/** Takes the lock of a folder and says so in it, or returns undefined when another process (or handle) has it. */
export function tryLock(folder: string, sockets: string): FolderLock | undefined {
  const lock = tryFileLock(join(folder, "lock.sqlite"));
  if (lock === undefined) return undefined;
  const record = join(folder, HOLDER);
  const holder: Holder = { pid: process.pid, command: commandLine(), since: new Date().toISOString() };
  try {
    // Others read it at any time.
    writeWhole(record, `${JSON.stringify({ ...holder, sockets } satisfies HolderRecord)}\n`);
  } catch (error) {
    lock.release();
    throw error;
  }
  return {
    holder,
    release() {
      rmSync(record, { force: true });
      lock.release();
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
