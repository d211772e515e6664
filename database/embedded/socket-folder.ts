import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, rmdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AtlasError } from "../../errors/atlas-error.ts";

/** node-postgres expects this name in the folder that it is given as host. */
const SOCKET = ".s.PGSQL.5432";
/** Of this user; in a container it may have no name. */
const USER = process.getuid?.() ?? -1;
/** The shortest limit of a socket's path among the systems that Node runs on (macOS). */
const LONGEST_PATH = 103;

/** The path of the socket in its folder. */
export const socketIn = (folder: string): string => join(folder, SOCKET);

/** Whether a name is that of a socket's folder of this user. */
export const isSocketFolder = (name: string): boolean =>
  USER >= 0 &&
  name.startsWith(`atlas-${USER}-`) &&
  /^[0-9a-f]{12}$/.test(name.slice(`atlas-${USER}-`.length));

/**
 * Where the clients of an embedded log meet its holder: in the temporary folder, because the path of a socket must
 * be short.
 *
 * @param folder real path of the embedded log's folder
 */
export function socketFolder(folder: string): string {
  const name = `atlas-${USER}-${createHash("sha256").update(folder).digest("hex").slice(0, 12)}`;
  const path = join(tmpdir(), name);
  return socketIn(path).length > LONGEST_PATH ? join("/tmp", name) : path;
}

/**
 * Refuses a socket's folder that others could have made or can enter: that it is ours alone stands in for a password.
 *
 * @throws AtlasError ATLAS_FILE_UNWRITABLE
 */
export function checkOwned(path: string): void {
  const found = lstatSync(path);
  if (found.isDirectory() && (USER < 0 || (found.uid === USER && (found.mode & 0o077) === 0))) return;
  throw new AtlasError("ATLAS_FILE_UNWRITABLE", "the socket's folder is not this user's alone", {
    where: path,
    hint: "Remove it, or point TMPDIR at a folder of your own.",
  });
}

/** Makes the socket's folder, or checks the one that is there, and says that it is about to be used. */
export function makeSocketFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  checkOwned(path);
  utimesSync(path, new Date(), new Date());
}

/** Removes the socket and its folder. */
export function removeSocketFolder(path: string): void {
  rmSync(socketIn(path), { force: true });
  try {
    rmdirSync(path);
  } catch {
    // Somebody else keeps something there, or it is gone already.
  }
}
