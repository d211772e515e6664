import { createHash, randomUUID } from "node:crypto";
import { constants, createWriteStream, openSync, type Stats } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { dirname, resolve } from "node:path";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { explainWrite } from "./explain-write.ts";
import { makeFolder, syncFolder } from "./folders.ts";
import { inherit } from "./inherit.ts";
import { isStream, targetOf } from "./target.ts";
import { beside, inTurn } from "./turn.ts";

/** What was written. */
export interface WrittenFile {
  path: string;
  bytes: number;
  /** SHA-256 of the whole file, as 64 hex digits. */
  sha256: string;
}

/** A whole file beside the place where it will be. */
export interface StagedFile extends WrittenFile {
  /** Where it will be: what its path leads to, where that is a link. */
  target: string;
  /** Where it is until it is published; undefined where it went through a pipe or a device, and is gone. */
  temporary: string | undefined;
}

type Chunks = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

const FLUSH_BYTES = 256 * 1024;
const READER_MS = 50;
const STDOUT = "/dev/stdout";

/** Counts and digests what flows by, and hands it on in larger pieces. */
class Tally {
  readonly hash = createHash("sha256");
  bytes = 0;
  /** What the source threw, which is no error of the file. */
  failure: { error: unknown } | undefined;

  async *of(chunks: Chunks): AsyncGenerator<Buffer> {
    let pending: Uint8Array[] = [];
    let waiting = 0;
    try {
      for await (const chunk of chunks) {
        const buffer = typeof chunk === "string" ? Buffer.from(chunk, "utf8") : chunk;
        this.hash.update(buffer);
        this.bytes += buffer.length;
        waiting += buffer.length;
        pending.push(buffer);
        if (waiting < FLUSH_BYTES) continue;
        yield Buffer.concat(pending);
        pending = [];
        waiting = 0;
      }
    } catch (error) {
      this.failure = { error };
      throw error;
    }
    if (waiting > 0) yield Buffer.concat(pending);
  }
}

/** A pipe waits for its reader, as it does in a shell, but without holding up the process. */
async function openPipe(path: string): Promise<Writable> {
  for (;;) {
    try {
      return new Socket({ fd: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), readable: false });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
    }
    await sleep(READER_MS);
  }
}

async function writeThrough(
  path: string,
  found: Stats | undefined,
  chunks: AsyncIterable<Buffer>,
): Promise<void> {
  if (path === STDOUT) return pipeline(chunks, process.stdout, { end: false });
  await pipeline(chunks, found?.isFIFO() ? await openPipe(path) : createWriteStream(path));
}

async function writeBeside(temporary: string, found: Stats | undefined, chunks: AsyncIterable<Buffer>) {
  // An exclusive new file: no link is followed, and no other process's file is opened.
  const file = await open(temporary, "wx", 0o600);
  try {
    if (found !== undefined) await inherit(file, found);
    for await (const chunk of chunks) await file.writeFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Writes a file, whole and synced, beside the place where it will be. {@link publish} puts it there. What is a pipe or a
 * device is written through instead.
 *
 * @throws as {@link writeAtomically}
 */
export async function stage(path: string, chunks: Chunks): Promise<StagedFile> {
  const tally = new Tally();
  let temporary: string | undefined;
  let target = path;
  try {
    const { path: place, found } = path === STDOUT ? { path, found: undefined } : await targetOf(path);
    target = place;
    if (path === STDOUT || isStream({ path, found })) await writeThrough(target, found, tally.of(chunks));
    else {
      await makeFolder(dirname(target));
      temporary = beside(target, `${randomUUID().slice(0, 13)}.tmp`);
      await writeBeside(temporary, found, tally.of(chunks));
    }
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => {});
    if (tally.failure !== undefined) throw tally.failure.error;
    throw explainWrite(path, error);
  }
  return { path: resolve(path), bytes: tally.bytes, sha256: tally.hash.digest("hex"), target, temporary };
}

/** Takes away what was staged and is not wanted. */
export async function discard(staged: readonly StagedFile[]): Promise<void> {
  for (const { temporary } of staged) if (temporary !== undefined) await rm(temporary, { force: true });
}

/**
 * Puts staged files where they belong, one after the other and without those of another process between
 * them: a file and what describes it always fit.
 *
 * @throws AtlasError ATLAS_FILE_UNWRITABLE
 */
export async function publish(staged: readonly StagedFile[]): Promise<void> {
  const waiting = staged.filter(({ temporary }) => temporary !== undefined);
  const [first] = waiting;
  if (first === undefined) return;
  const renameAll = async (): Promise<void> => {
    for (const { temporary, target } of waiting) await rename(temporary!, target);
  };
  try {
    await (waiting.length === 1 ? renameAll() : inTurn(first.target, renameAll));
    for (const folder of new Set(waiting.map(({ target }) => dirname(target)))) await syncFolder(folder);
  } catch (error) {
    await discard(waiting).catch(() => {});
    throw explainWrite(first.path, error);
  }
}

/**
 * Writes a file so that it is either the old one or the whole new one, also when the process dies, and when another one
 * writes it too: a new file beside it, synced, then renamed. It keeps the mode of the file that it replaces; a new one
 * is its owner's alone. A link stays, and what it leads to is replaced. A pipe or a device is written through;
 * `/dev/stdout` is this process's output, whatever that is.
 *
 * @param chunks text or bytes in the order in which they are written; taken as they are produced
 * @throws AtlasError ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL (the old file, if any, is untouched), or what `chunks` throws
 * @example
 * const { sha256 } = await writeAtomically("data/traces.jsonl", lines());
 */
export async function writeAtomically(path: string, chunks: Chunks): Promise<WrittenFile> {
  const staged = await stage(path, chunks);
  await publish([staged]);
  const { bytes, sha256 } = staged;
  return { path: staged.path, bytes, sha256 };
}
