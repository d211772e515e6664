import { createHash } from "node:crypto";
import { withKeysInOrder } from "../schemas/rules.ts";

/** A number that JavaScript cannot hold: `JSON.stringify` writes it with all the digits that it was read with. */
export interface RawNumber {
  readonly rawJSON: string;
}

const RAW = JSON as unknown as {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
};

/** Only such texts may hold a number that is not exact. */
const LONG_NUMBER = /\d{16}|\d[eE][+-]?\d{3}/;

const isExact = (value: number, written: string): boolean =>
  Number.isFinite(value) && (String(value) === written || written.replace(/[^\d]/g, "").length <= 15);

function revive(this: unknown, _key: string, value: unknown, context: { source?: string }): unknown {
  const { source } = context;
  return typeof value === "number" && source !== undefined && !isExact(value, source)
    ? RAW.rawJSON(source)
    : value;
}

/**
 * Reads JSON text as `JSON.parse` does, but keeps numbers that JavaScript cannot hold as they were written.
 *
 * @throws SyntaxError
 * @example
 * JSON.stringify(parseExact("[12345678901234567890]")); // "[12345678901234567890]"
 */
export function parseExact(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  return JSON.parse(text, revive as (this: unknown, key: string, value: unknown) => unknown);
}

/** A number, or the nearest one to a {@link RawNumber}; undefined for anything else. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return RAW.isRawJSON(value) ? Number(value.rawJSON) : undefined;
}

/**
 * SHA-256 of a value that {@link parseExact} read, as 64 hex digits. White space and the order of keys do not count;
 * every digit does.
 */
export function contentHash(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    RAW.isRawJSON(inner) ? { digits: inner.rawJSON } : withKeysInOrder(inner),
  );
  return createHash("sha256").update(text).digest("hex");
}
