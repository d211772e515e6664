/** Deeper than what anybody sends, and less than what the stack holds. */
const DEEPEST = 500;

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
};

function mended(value: unknown, seen: Set<object>): unknown {
  if (typeof value === "string") return value.isWellFormed() ? value : value.toWellFormed();
  if (typeof value !== "object" || value === null || !isPlain(value)) return value;
  // What goes round in circles is sent by nobody.
  if (seen.has(value) || seen.size > DEEPEST) return value;
  seen.add(value);
  const entries = Object.entries(value).map(([name, inner]) => [name.toWellFormed(), mended(inner, seen)]);
  seen.delete(value);
  const isSame = Object.entries(value).every(
    ([name, inner], at) => entries[at]![0] === name && Object.is(entries[at]![1], inner),
  );
  if (isSame) return value;
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

/**
 * A value as it can be sent: half a surrogate pair becomes U+FFFD in every text of it, since servers refuse such a
 * text and the log cannot hold it. The value itself where there is none.
 *
 * @example
 * sendable({ note: "half a pair: \ud83d" }); // { note: "half a pair: \ufffd" }
 */
export const sendable = <T>(value: T): T => mended(value, new Set()) as T;
