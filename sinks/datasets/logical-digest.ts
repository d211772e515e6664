import { createHash } from "node:crypto";
import type { PickedSession } from "./spill.ts";

function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const inner = value as Record<string, unknown>;
  const members = Object.keys(inner)
    .filter((key) => inner[key] !== null)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(inner[key])}`);
  return `{${members.join(",")}}`;
}

/**
 * SHA-256 of what a training line says: the order of keys, the spaces between, and members that are null do not count,
 * so that another version of the encoder can come to the same.
 *
 * @example
 * recordDigest('{"task": "Count", "drift": null}') === recordDigest('{"task":"Count"}'); // true
 */
export const recordDigest = (line: string): string =>
  createHash("sha256")
    .update(canonical(JSON.parse(line) as unknown))
    .digest("hex");

/** SHA-256 over the records of a dataset, in the order of their session ids. */
export class DatasetDigest {
  readonly #hash = createHash("sha256");

  add({ session, split, digest, leftOut }: Pick<PickedSession, "session" | "split" | "digest" | "leftOut">): void {
    this.#hash.update(`${JSON.stringify([session, leftOut === null ? split : null, digest])}\n`);
  }

  hex(): string {
    return this.#hash.copy().digest("hex");
  }
}
