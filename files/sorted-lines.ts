import { createReadStream, type ReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainWrite } from "./explain-write.ts";

/** How much a {@link SortedLines} keeps in memory, and where the rest goes. */
export interface SortOptions {
  /** Characters of lines that are kept in memory, or one line where that has more; 1 Mi unless told. */
  characters?: number | undefined;
  /** Where a folder is made for what does not fit; among the system's temporary files unless told. */
  folder?: string | undefined;
  /** Called with the characters that are in memory, whenever there are more. */
  onKept?: ((characters: number) => void) | undefined;
}

const CHARACTERS = 1024 * 1024;
/** Runs that are read at a time; each has a piece of itself in memory. */
const MOST_RUNS = 64;
const PIECE_BYTES = 64 * 1024;

/** A sorted file that is read from its start, a piece at a time. */
class Run {
  readonly #stream: ReadStream;
  readonly #pieces: AsyncIterator<string>;
  #lines: string[] = [];
  #at = 0;
  #rest = "";

  constructor(path: string) {
    this.#stream = createReadStream(path, { encoding: "utf8", highWaterMark: PIECE_BYTES });
    this.#pieces = (this.#stream as AsyncIterable<string>)[Symbol.asyncIterator]();
  }

  /** The line that is next; undefined before {@link ready}, and at the end. */
  get line(): string | undefined {
    return this.#lines[this.#at];
  }

  /** Goes to the next line; false where more has to be read for it. */
  next(): boolean {
    this.#at += 1;
    return this.#at < this.#lines.length;
  }

  /** Reads on; resolves with whether there is a line. */
  async ready(): Promise<boolean> {
    while (this.#at >= this.#lines.length) {
      const { value, done } = await this.#pieces.next();
      if (done === true) return false;
      const lines = (this.#rest + value).split("\n");
      this.#rest = lines.pop()!;
      this.#lines = lines;
      this.#at = 0;
    }
    return true;
  }

  close(): void {
    this.#stream.destroy();
  }
}

async function* merged(paths: readonly string[]): AsyncGenerator<string> {
  const open = paths.map((path) => new Run(path));
  try {
    let runs: Run[] = [];
    for (const run of open) if (await run.ready()) runs.push(run);
    while (runs.length > 0) {
      let least = runs[0]!;
      for (const run of runs) if (run.line! < least.line!) least = run;
      yield least.line!;
      if (least.next() || (await least.ready())) continue;
      runs = runs.filter((run) => run !== least);
    }
  } finally {
    for (const run of open) run.close();
  }
}

async function writeLines(path: string, lines: Iterable<string> | AsyncIterable<string>): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    let piece = "";
    for await (const line of lines) {
      piece += `${line}\n`;
      if (piece.length < PIECE_BYTES) continue;
      await file.writeFile(piece);
      piece = "";
    }
    await file.writeFile(piece);
  } finally {
    await file.close();
  }
}

/**
 * A whole number as text of one length, so that texts are in the order of their numbers.
 *
 * @example
 * const line = `${inOrder(startedAt)} ${sessionId}`;
 */
export const inOrder = (number: number): string =>
  (BigInt(number) + 2n ** 63n).toString(16).padStart(16, "0");

/**
 * Sorts any number of lines in bounded memory, as `sort` does: what is more than fits goes to files, sorted, and these
 * are merged. Lines come in the order of their UTF-16 units; equal ones all come.
 *
 * @example
 * const sorted = new SortedLines();
 * for (const word of words) await sorted.add(word);
 * for await (const word of sorted.lines()) console.log(word);
 */
export class SortedLines {
  readonly #most: number;
  readonly #onKept: SortOptions["onKept"];
  readonly #place: string;
  #folder: string | undefined;
  #lines: string[] = [];
  #kept = 0;
  #runs: string[] = [];
  #made = 0;

  constructor({ characters = CHARACTERS, folder = tmpdir(), onKept }: SortOptions = {}) {
    this.#most = characters;
    this.#place = folder;
    this.#onKept = onKept;
  }

  /**
   * @param line well-formed, and without a line end in it, as JSON is
   * @throws AtlasError ATLAS_DISK_FULL, ATLAS_FILE_UNWRITABLE where it does not fit into memory, nor where the rest goes
   */
  async add(line: string): Promise<void> {
    if (this.#lines.length > 0 && this.#kept + line.length > this.#most) await this.#spill();
    this.#lines.push(line);
    this.#kept += line.length;
    this.#onKept?.(this.#kept);
  }

  /** All lines, in order, once; then nothing is left of them, in memory or on disk. */
  async *lines(): AsyncGenerator<string> {
    try {
      if (this.#runs.length === 0) {
        yield* this.#sorted();
        return;
      }
      await this.#spill();
      yield* merged(this.#runs);
    } finally {
      await this.close();
    }
  }

  /** Gives the lines up. Does nothing where that was done. */
  async close(): Promise<void> {
    this.#lines = [];
    this.#kept = 0;
    this.#runs = [];
    const folder = this.#folder;
    this.#folder = undefined;
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }

  #sorted(): string[] {
    const lines = this.#lines.sort();
    this.#lines = [];
    this.#kept = 0;
    return lines;
  }

  async #spill(): Promise<void> {
    if (this.#runs.length >= MOST_RUNS) {
      const runs = this.#runs;
      this.#runs = [await this.#write(merged(runs))];
      for (const run of runs) await rm(run);
    }
    if (this.#lines.length > 0) this.#runs.push(await this.#write(this.#sorted()));
  }

  async #write(lines: Iterable<string> | AsyncIterable<string>): Promise<string> {
    try {
      this.#folder ??= await mkdtemp(join(this.#place, "atlas-sort-"));
      const path = join(this.#folder, `run-${this.#made}`);
      this.#made += 1;
      await writeLines(path, lines);
      return path;
    } catch (error) {
      throw explainWrite(this.#folder ?? this.#place, error);
    }
  }
}
