import { lstatSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { basename, dirname, join } from "node:path";
import { checkOwned, isSocketFolder, removeSocketFolder, socketIn } from "./socket-folder.ts";

/** A holder touches its folder as it begins, and listens within this time or not at all. */
const START_MS = 120_000;

/** Whether nobody listens any more; a process that is only busy still takes connections. */
const isDead = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(socket);
    probe.unref();
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
    probe.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "ECONNREFUSED"));
  });

/** Which file a path is; undefined where there is none. */
function fileOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino;
}

async function tidy(folder: string): Promise<void> {
  checkOwned(folder);
  if (Date.now() - lstatSync(folder).mtimeMs < START_MS) return;
  const socket = socketIn(folder);
  const found = fileOf(socket);
  if (found !== undefined && !(await isDead(socket))) return;
  // Whoever took the place of the dead one since has a socket of its own.
  if (fileOf(socket) !== found) return;
  rmSync(socket, { force: true });
  removeSocketFolder(folder);
}

/**
 * Removes the sockets of processes of this user that were killed, with their folders. What is in doubt stays.
 *
 * @param own a socket's folder; those beside it are looked at
 */
export async function tidySockets(own: string): Promise<void> {
  const beside = dirname(own);
  try {
    for (const name of readdirSync(beside))
      if (isSocketFolder(name) && name !== basename(own))
        await tidy(join(beside, name)).catch(() => undefined);
  } catch {
    // Who may not look there has nothing to tidy.
  }
}
