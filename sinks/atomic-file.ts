import { createHash } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { AtlasError, messageOf } from "../errors/atlas-error.ts";

/** What was written. */
export interface WrittenFile {
  path: string;
  bytes: number;
  /** SHA-256 of the whole file, as 64 hex digits. */
  sha256: string;
}

const FLUSH_BYTES = 256 * 1024;

/** The error of a write in the terms of this package; what is no error of a file stays what it is. */
export function explainWrite(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const details = { where: path, cause: error };
  if (code === "ENOSPC" || code === "EDQUOT") {
    const hint = "Free some space and run it again; what was there before is unchanged.";
    return new AtlasError("ATLAS_DISK_FULL", "no space is left for the output", {
      ...details,
      hint,
      retryable: true,
    });
  }
  if (
    code !== undefined &&
    /^E[A-Z]+$/.test(code) &&
    [
      "EACCES",
      "EPERM",
      "ENOTDIR",
      "EISDIR",
      "EROFS",
      "ENOENT",
      "EEXIST",
      "ENAMETOOLONG",
      "EFBIG",
      "EIO",
    ].includes(code)
  ) {
    const hint = "Name a file in a folder that you may write to.";
    return new AtlasError("ATLAS_FILE_UNWRITABLE", `the output cannot be written: ${messageOf(error)}`, {
      ...details,
      hint,
    });
  }
  return error;
}

/**
 * Writes a file so that it is either the old one or the whole new one, also when the process dies: a temporary file
 * beside it, synced, then renamed.
 *
 * @param chunks text or bytes in the order in which they are written; taken as they are produced
 * @throws AtlasError ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL (the old file, if any, is untouched), or what `chunks` throws
 * @example
 * const { sha256 } = await writeAtomically("data/traces.jsonl", lines());
 */
export async function writeAtomically(
  path: string,
  chunks: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
): Promise<WrittenFile> {
  const target = resolve(path);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  const hash = createHash("sha256");
  let bytes = 0;
  let source: unknown;
  try {
    await mkdir(dirname(target), { recursive: true });
    const file = await open(temporary, "w");
    try {
      let pending: Uint8Array[] = [];
      let waiting = 0;
      const flush = async (): Promise<void> => {
        const buffer = Buffer.concat(pending);
        pending = [];
        waiting = 0;
        await file.writeFile(buffer);
      };
      const iterator =
        Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
      for (;;) {
        const next = await Promise.resolve(iterator.next()).catch((error: unknown) => {
          source = error;
          throw error;
        });
        if (next.done === true) break;
        const buffer = typeof next.value === "string" ? Buffer.from(next.value, "utf8") : next.value;
        hash.update(buffer);
        bytes += buffer.length;
        waiting += buffer.length;
        pending.push(buffer);
        if (waiting >= FLUSH_BYTES) await flush();
      }
      await flush();
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
    await syncFolder(dirname(target));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error === source ? error : explainWrite(path, error);
  }
  return { path: target, bytes, sha256: hash.digest("hex") };
}

/** Makes a rename durable; some file systems do not let folders be synced. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // The rename itself has happened.
  }
}
