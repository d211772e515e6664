/** Fills a part of a buffer and says how many bytes it wrote; 0 means that there are no more. */
export type Fill = (into: Buffer, at: number, length: number) => Promise<number>;

const CHUNK = 1024 * 1024;

/**
 * The part of a file that a scanner still needs: it grows with the longest row, not with the file. Places are
 * offsets in the file.
 */
export class ByteWindow {
  /** The offset after the last byte that was read. */
  end = 0;
  readonly #fill: Fill;
  #bytes = Buffer.allocUnsafe(2 * CHUNK);
  #start = 0;
  #released = 0;

  constructor(fill: Fill) {
    this.#fill = fill;
  }

  /** Reads on; false at the end of the file. */
  async more(): Promise<boolean> {
    if (this.#bytes.length - (this.end - this.#start) < CHUNK) {
      const kept = this.#bytes.subarray(this.#released - this.#start, this.end - this.#start);
      const larger = kept.length > this.#bytes.length / 2;
      const into = larger ? Buffer.allocUnsafe(this.#bytes.length * 2) : this.#bytes;
      kept.copy(into);
      this.#bytes = into;
      this.#start = this.#released;
    }
    const used = this.end - this.#start;
    const read = await this.#fill(this.#bytes, used, this.#bytes.length - used);
    this.end += read;
    return read > 0;
  }

  /** Says that the bytes before an offset are no longer needed. */
  release(before: number): void {
    this.#released = before;
  }

  byteAt(offset: number): number {
    return this.#bytes[offset - this.#start]!;
  }

  /** A view of the bytes between two offsets, valid until {@link more}. */
  slice(from: number, to: number): Buffer {
    return this.#bytes.subarray(from - this.#start, to - this.#start);
  }

  /** The first offset of a byte or a run of bytes from an offset on; -1 where the window does not hold it. */
  indexOf(wanted: number | Buffer, from: number): number {
    const found = this.slice(from, this.end).indexOf(wanted);
    return found === -1 ? -1 : from + found;
  }
}
