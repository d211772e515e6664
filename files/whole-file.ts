import { randomUUID } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { beside } from "./turn.ts";

/**
 * Writes a small file as a whole or not at all, also when the process dies meanwhile or others write it too.
 * It is not synced: for what means nothing after a power cut, or can be made again.
 *
 * @param mode of the file, less the umask; for its owner alone unless told
 * @example
 * writeWhole(".atlas/holder.json", "{}\n");
 */
export function writeWhole(path: string, content: Uint8Array | string, mode = 0o600): void {
  mkdirSync(dirname(resolve(path)), { recursive: true });
  const temporary = beside(path, `${randomUUID()}.tmp`);
  try {
    writeFileSync(temporary, content, { flag: "wx", mode });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
