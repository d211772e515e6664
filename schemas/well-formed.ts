/**
 * Replaces the lone surrogates in every string of a value by U+FFFD; returns the value itself when there are none.
 * avsc writes them as three bytes that are not UTF-8, which readers in other languages refuse.
 *
 * @example
 * wellFormed({ note: "half a pair: \ud83d" }); // { note: "half a pair: \ufffd" }
 */
export function wellFormed<T>(value: T): T;
export function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.isWellFormed() ? value : value.toWellFormed();
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  const record = value as Record<string, unknown>;
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(record)) {
    const repaired = wellFormed(record[key]);
    if (Object.is(repaired, record[key])) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[key] = repaired;
  }
  return copy ?? value;
}
