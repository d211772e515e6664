import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  statSync,
} from "node:fs";
import { mkdir, open, readdir } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";

/** Folders that this package makes are their owner's alone. */
export const FOLDER_MODE = 0o700;

/** What file systems say that do not let folders be opened, or synced. */
const UNSYNCED = ["EACCES", "EPERM", "EISDIR", "EINVAL", "EBADF", "ENOTSUP", "EOPNOTSUPP"];

/** How many files are synced at a time: the disk takes those that wait together. */
const SYNCS = 16;

function unlessUnsynced(error: unknown): void {
  if (!UNSYNCED.includes(String((error as NodeJS.ErrnoException).code))) throw error;
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}

/** Makes durable what was created or renamed in a folder, where the file system can do that. */
export const syncFolder = (folder: string): Promise<void> => syncPath(folder).catch(unlessUnsynced);

/** As {@link syncFolder}, where waiting is not possible. */
export function syncFolderNow(folder: string): void {
  try {
    const fd = openSync(folder, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    unlessUnsynced(error);
  }
}

/** Makes durable a folder with all that is in it; its own name is its parent's. */
export async function syncTree(folder: string): Promise<void> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const next = paths.values();
  const work = async (): Promise<void> => {
    for (const path of next) await syncPath(path);
  };
  await Promise.all(Array.from({ length: SYNCS }, work));
  for (const entry of found) if (entry.isDirectory()) await syncFolder(join(entry.parentPath, entry.name));
  await syncFolder(folder);
}

/** The folders that have a new entry, where making one made `first` and all below it. */
function* changedBy(made: string, first: string): Generator<string> {
  for (let each = made; each.length >= first.length; each = dirname(each)) yield dirname(each);
}

/** Makes a folder and its parents where they are missing, durably; one that is there keeps its mode. */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  const first = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (first !== undefined) for (const changed of changedBy(folder, first)) await syncFolder(changed);
}

/** What this package keeps in a folder that is nothing but its own. */
const OWN = /^(pgdata(\.new)?|lock\.sqlite(-journal)?|\.?holder\.json(\..+)?|runs|spool|.+\.spool(\..+)?)$/;

/** A folder of that name is ours, and so is one that holds nothing else, wherever a configuration puts it. */
const isOwn = (folder: string): boolean =>
  folder.split(sep).includes(".atlas") || readdirSync(folder).every((name) => OWN.test(name));

/**
 * Makes a folder, durably, that only its owner can enter: what agents did is not for everybody on the machine. One that is there
 * is narrowed to that, where it is this user's and holds nothing of others.
 *
 * @returns its real path
 */
export function privateFolder(path: string): string {
  // Of a relative path Node never comes back where the working directory is gone.
  const asked = resolve(path);
  const first = mkdirSync(asked, { recursive: true, mode: FOLDER_MODE });
  if (first !== undefined) for (const changed of changedBy(asked, first)) syncFolderNow(changed);
  const folder = realpathSync(path);
  const { uid, mode } = statSync(folder);
  if (uid === process.getuid?.() && (mode & 0o077) !== 0 && isOwn(folder)) chmodSync(folder, mode & 0o700);
  return folder;
}
