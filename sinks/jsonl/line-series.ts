import { createReadStream } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { writeAtomically } from "../../files/atomic-file.ts";
import { explainWrite } from "../../files/explain-write.ts";
import { makeFolder, syncFolder } from "../../files/folders.ts";

/** How far a series of files is written; what is behind that was never confirmed. */
export interface SeriesPlace {
  /** Number of the file that is written now, from 0. */
  index: number;
  /** Its length, in bytes. */
  bytes: number;
}

/** The beginning of a series. */
export const SERIES_START: SeriesPlace = { index: 0, bytes: 0 };

/** Files of JSON lines, one after the other, that others may read while they grow. */
export class LineSeries {
  readonly #folder: string;
  readonly #name: string;
  readonly #rotateBytes: number;
  #open: { index: number; file: FileHandle } | undefined;

  constructor(folder: string, name: string, rotateBytes: number) {
    this.#folder = folder;
    this.#name = name;
    this.#rotateBytes = rotateBytes;
  }

  /** The file with this number. */
  pathOf(index: number): string {
    return join(this.#folder, `${this.#name}-${String(index).padStart(6, "0")}.jsonl`);
  }

  /**
   * Takes a series over from whoever wrote it before: what was confirmed is copied to a new file under the old name, so
   * that a process which was only paused goes on writing to a file that nobody sees.
   *
   * @returns where to go on: in a new file where the old one is not here, or is not what was confirmed
   */
  async takeOver(place: SeriesPlace): Promise<SeriesPlace> {
    await this.close();
    if (place.bytes === 0) return place;
    const path = this.pathOf(place.index);
    const length = await stat(path).then(
      ({ size }) => size,
      () => 0,
    );
    if (length < place.bytes) return { index: place.index + 1, bytes: 0 };
    try {
      await writeAtomically(path, createReadStream(path, { end: place.bytes - 1 }));
    } catch (error) {
      throw explainWrite(path, error);
    }
    return place;
  }

  /**
   * Writes lines behind what is confirmed, and syncs them; anything else that stands there is cut first.
   *
   * @param lines whole lines, each with its end
   * @returns the place behind them, to be confirmed by the caller
   * @throws AtlasError ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL
   */
  async write(place: SeriesPlace, lines: string): Promise<SeriesPlace> {
    const bytes = Buffer.from(lines, "utf8");
    const rotates = place.bytes > 0 && place.bytes + bytes.length > this.#rotateBytes;
    let from = rotates ? { index: place.index + 1, bytes: 0 } : place;
    try {
      let file = await this.#fileAt(from.index);
      if ((await file.stat()).size < from.bytes) {
        // Somebody took the file away, or cut it: the next one begins at its own beginning.
        from = { index: from.index + 1, bytes: 0 };
        file = await this.#fileAt(from.index);
      }
      await file.truncate(from.bytes);
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await file.write(
          bytes,
          written,
          bytes.length - written,
          from.bytes + written,
        );
        written += bytesWritten;
      }
      await file.sync();
    } catch (error) {
      throw explainWrite(this.pathOf(from.index), error);
    }
    return { index: from.index, bytes: from.bytes + bytes.length };
  }

  async #fileAt(index: number): Promise<FileHandle> {
    if (this.#open?.index === index) return this.#open.file;
    await this.close();
    await makeFolder(resolve(this.#folder));
    const path = this.pathOf(index);
    const file = await open(path, "r+").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      return this.#create(index);
    });
    this.#open = { index, file };
    await syncFolder(this.#folder);
    return file;
  }

  /** A new file of the series has the mode of the one before it; the first is its owner's alone. */
  async #create(index: number): Promise<FileHandle> {
    const before = await stat(this.pathOf(index - 1)).catch(() => undefined);
    const file = await open(this.pathOf(index), "wx+", 0o600);
    if (before !== undefined) await file.chmod(before.mode & 0o777);
    return file;
  }

  /** Lets go of the file that is open. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.file.close();
  }
}
