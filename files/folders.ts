import { chmodSync, mkdirSync, readdirSync, realpathSync, statSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";

/** Folders that this package makes are their owner's alone. */
export const FOLDER_MODE = 0o700;

/** What file systems say that do not let folders be opened, or synced. */
const UNSYNCED = ["EACCES", "EPERM", "EISDIR", "EINVAL", "EBADF", "ENOTSUP", "EOPNOTSUPP"];

/** Makes durable what was created or renamed in a folder, where the file system can do that. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!UNSYNCED.includes(String((error as NodeJS.ErrnoException).code))) throw error;
  }
}

/** Makes a folder and its parents where they are missing, durably; one that is there keeps its mode. */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  const first = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** What this package keeps in a folder that is nothing but its own. */
const OWN = /^(pgdata(\.new)?|lock\.sqlite(-journal)?|\.?holder\.json(\..+)?|runs|spool|.+\.spool(\..+)?)$/;

/** A folder of that name is ours, and so is one that holds nothing else, wherever a configuration puts it. */
const isOwn = (folder: string): boolean =>
  folder.split(sep).includes(".atlas") || readdirSync(folder).every((name) => OWN.test(name));

/**
 * Makes a folder that only its owner can enter: what agents did is not for everybody on the machine. One that is there
 * is narrowed to that, where it is this user's and holds nothing of others.
 *
 * @returns its real path
 */
export function privateFolder(path: string): string {
  // Of a relative path Node never comes back where the working directory is gone.
  mkdirSync(resolve(path), { recursive: true, mode: FOLDER_MODE });
  const folder = realpathSync(path);
  const { uid, mode } = statSync(folder);
  if (uid === process.getuid?.() && (mode & 0o077) !== 0 && isOwn(folder)) chmodSync(folder, mode & 0o700);
  return folder;
}
