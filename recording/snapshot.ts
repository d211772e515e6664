/** A copy that nobody else holds, and about how much room it takes. */
export interface Snapshot<T> {
  copy: T;
  /** Characters of text plus eight for every other value. */
  size: number;
}

const ENVELOPE = 200;

/**
 * Copies plain data: what the caller changes afterwards is not in the copy. Texts are shared, they cannot change.
 *
 * @example
 * const { copy } = snapshot({ guidance: notes });
 */
export function snapshot<T>(value: T): Snapshot<T> {
  let size = ENVELOPE;
  const copyOf = (inner: unknown): unknown => {
    if (typeof inner === "string") {
      size += inner.length;
      return inner;
    }
    size += 8;
    if (typeof inner !== "object" || inner === null) return inner;
    if (Array.isArray(inner)) return inner.map(copyOf);
    if (Buffer.isBuffer(inner)) {
      size += inner.length;
      return Buffer.from(inner);
    }
    const copy: Record<string, unknown> = {};
    for (const key in inner) copy[key] = copyOf((inner as Record<string, unknown>)[key]);
    return copy;
  };
  const copy = copyOf(value) as T;
  return { copy, size };
}
