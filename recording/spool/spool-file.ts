import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type FileLock, tryFileLock } from "../../database/file-lock.ts";
import { privateFolder, syncFolder } from "../../files/folders.ts";
import { readSpool, type SpoolBatch } from "./spool-reader.ts";
import { type SpoolRecord, writeRecord } from "./spool-record.ts";

/** What the name of a spool file ends with. */
export const SPOOL_SUFFIX = ".spool";

/** The lock that a spool file's owner holds, as long as it lives. */
export const lockPathOf = (path: string): string => `${path}.lock`;

/** The first line of a spool file: which log its events belong to. */
export const headerOf = (logId: string): Buffer =>
  Buffer.from(`${JSON.stringify({ atlas_spool: 1, log: logId })}\n`);

/** Takes a spool file away, and then its lock: who gets that in between finds nothing to do. */
export function removeSpool(path: string, lock: FileLock): void {
  rmSync(path, { force: true });
  lock.release();
  rmSync(lockPathOf(path), { force: true });
}

/** The spool file of this process: events are added at its end, and taken from its beginning. */
export class SpoolFile {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #lock: FileLock;
  #written: number;
  #taken: number;

  private constructor(path: string, file: FileHandle, lock: FileLock, begin: number) {
    this.path = path;
    this.#file = file;
    this.#lock = lock;
    this.#written = begin;
    this.#taken = begin;
  }

  /** Creates a file that no other process touches while this one lives; names sort by time of creation. */
  static async create(folder: string, logId: string): Promise<SpoolFile> {
    privateFolder(folder);
    const time = String(Date.now()).padStart(15, "0");
    const path = join(folder, `${time}-${process.pid}-${randomBytes(4).toString("hex")}${SPOOL_SUFFIX}`);
    const lock = tryFileLock(lockPathOf(path))!;
    let file: FileHandle | undefined;
    try {
      file = await open(path, "wx+", 0o600);
      const header = headerOf(logId);
      await file.write(header, 0, header.length, 0);
      await file.sync();
      await syncFolder(dirname(path));
      return new SpoolFile(path, file, lock, header.length);
    } catch (error) {
      await file?.close();
      removeSpool(path, lock);
      throw error;
    }
  }

  /** Adds records, all or none of them, and resolves when they are on the disk. */
  async add(records: readonly SpoolRecord[]): Promise<void> {
    const bytes = Buffer.concat(records.map(writeRecord));
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(
          bytes,
          done,
          bytes.length - done,
          this.#written + done,
        );
        done += bytesWritten;
      }
      await this.#file.datasync();
    } catch (error) {
      // Half a record would hide those that come after it.
      await this.#file.truncate(this.#written).catch(() => undefined);
      throw error;
    }
    this.#written += bytes.length;
  }

  /** The oldest records that were not taken. */
  next(limits: { events: number; bytes: number }): Promise<SpoolBatch> {
    return readSpool(this.#file, this.#taken, this.#written, limits);
  }

  /** Says that what `next` gave is in the log. */
  take({ end }: SpoolBatch): void {
    this.#taken = end;
  }

  /** Closes the file, and leaves it where records wait in it. */
  async close(): Promise<void> {
    await this.#file.close();
    if (this.#taken === this.#written) removeSpool(this.path, this.#lock);
    else this.#lock.release();
  }
}
