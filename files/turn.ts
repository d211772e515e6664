import { open, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A turn takes as long as a few renames; one that lasts longer belongs to a process that died in it. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 20;
/** Of a file's name, so that what is added to it stays within 255 bytes. */
const NAME_LENGTH = 60;

/** A hidden name beside a path. */
export const beside = (path: string, suffix: string): string =>
  join(dirname(path), `.${basename(path).slice(0, NAME_LENGTH)}.${suffix}`);

/**
 * Does something that takes more than one rename, while no other process and no other call does it with the same path.
 * For moments only.
 */
export async function inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
  const turn = beside(path, "turn");
  let seen: number | undefined;
  for (let since = performance.now(); ; await sleep(LOOK_MS)) {
    try {
      await (await open(turn, "wx", 0o600)).close();
      break;
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EEXIST") throw error;
    }
    const taken = await stat(turn).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
    if (taken !== seen) since = performance.now();
    seen = taken;
    if (performance.now() - since > PATIENCE_MS) await rm(turn, { force: true });
  }
  try {
    return await work();
  } finally {
    await rm(turn, { force: true });
  }
}
