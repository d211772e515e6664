import { createHash } from "node:crypto";
import { SortedLines, type SortOptions } from "../../files/sorted-lines.ts";

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.keys(value)
    .filter((key) => (value as Record<string, unknown>)[key] !== null)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical((value as Record<string, unknown>)[key])}`);
  return `{${entries.join(",")}}`;
}

/**
 * SHA-256 of what a training line says, however it says it: of its JSON without spaces, keys in the order of their
 * UTF-16 units, numbers as ECMAScript writes them, and without the keys whose value is null.
 *
 * @returns 64 hex digits
 * @example
 * recordDigest('{"task": "Count", "drift": null}') === recordDigest('{"task":"Count"}'); // true
 */
export const recordDigest = (line: string): string =>
  createHash("sha256")
    .update(canonical(JSON.parse(line) as unknown))
    .digest("hex");

/** What the digest of a dataset is made of. */
export interface DigestedSession {
  session_id: string;
  /** Name of its part; null where the dataset is not divided. */
  split: string | null;
  /** {@link recordDigest} of its training line. */
  digest: string;
}

/**
 * SHA-256 over the sessions of a dataset with their parts. Neither their order, nor the format, nor the number of
 * files counts.
 *
 * @example
 * const digest = new DatasetDigest();
 * for await (const session of listed) await digest.add(session);
 * await digest.hex(); // 64 hex digits
 */
export class DatasetDigest {
  readonly #lines: SortedLines;

  constructor(sorting: SortOptions = {}) {
    this.#lines = new SortedLines(sorting);
  }

  async add({ session_id, split, digest }: DigestedSession): Promise<void> {
    await this.#lines.add(`${session_id} ${split ?? ""} ${digest}`);
  }

  /** The digest of all that was added, once. */
  async hex(): Promise<string> {
    const hash = createHash("sha256");
    for await (const line of this.#lines.lines()) hash.update(`${line}\n`);
    return hash.digest("hex");
  }

  /** Gives it up. */
  close(): Promise<void> {
    return this.#lines.close();
  }
}
