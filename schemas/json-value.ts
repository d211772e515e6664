import { inspect } from "node:util";

/** `JSON.rawJSON`, which the compiler does not know yet: the one way to write a number as it is. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Array.isArray(value);
};

/** Numbers that JSON does not have are told as texts, where it would say null. */
function numberOf(value: number): unknown {
  if (Object.is(value, -0)) return rawJSON("-0");
  return Number.isFinite(value) ? value : String(value);
}

/** Bytes as base64, other typed arrays as lists of their numbers. */
function binaryOf(value: ArrayBufferView | ArrayBufferLike): unknown {
  if (!ArrayBuffer.isView(value)) return { base64: Buffer.from(value).toString("base64") };
  const isBytes =
    value instanceof Uint8Array || value instanceof Uint8ClampedArray || value instanceof DataView;
  if (!isBytes) return [...(value as unknown as Iterable<number | bigint>)];
  return { base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
}

/** An object by its keys where all of them are texts, else the pairs. */
function entriesOf(entries: Iterable<unknown>): unknown {
  const pairs = [...entries] as [unknown, unknown][];
  return pairs.every(([key]) => typeof key === "string") ? Object.fromEntries(pairs) : pairs;
}

function errorOf(error: Error): unknown {
  const { name, message, cause } = error;
  const inner = error instanceof AggregateError ? { errors: error.errors as unknown[] } : {};
  return Object.assign({ name, message }, error, inner, cause === undefined ? {} : { cause });
}

/** Pairs that may repeat a key, as headers and forms do. */
const isPairs = (value: object): value is Iterable<unknown> =>
  value instanceof Headers || value instanceof URLSearchParams || value instanceof FormData;

/** What stands for an object of which JSON would keep less than there is; the object itself where it keeps all. */
function standIn(value: object, key: string): unknown {
  const { toJSON } = value as { toJSON?: unknown };
  if (isPlain(value) && typeof toJSON !== "function") return value;
  if (value instanceof Map) return entriesOf(value);
  if (value instanceof Set) return [...(value as Set<unknown>)];
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
    return binaryOf(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof Error) return errorOf(value);
  if (isPairs(value)) return [...value];
  if (value instanceof Number || value instanceof String || value instanceof Boolean) return value.valueOf();
  if (typeof toJSON === "function") return (toJSON as (key: string) => unknown).call(value, key);
  // What has nothing to show keeps it to itself: a response, a promise, private fields.
  return Object.keys(value).length === 0 ? inspect(value, { depth: 2, breakLength: Infinity }) : value;
}

function symbolKeys(value: object): [string, unknown][] {
  const isOwn = (key: symbol): boolean => Object.prototype.propertyIsEnumerable.call(value, key);
  const keys = Object.getOwnPropertySymbols(value).filter(isOwn);
  return keys.map((key) => [String(key), (value as Record<symbol, unknown>)[key]]);
}

/** Deeper values are looked at more closely: they may go round in a circle. */
const SHALLOW = 64;

/** Whether JSON keeps all of a value, as it does of most: told at a glance. */
function isKept(value: unknown, depth: number): boolean {
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== "object") return typeof value !== "bigint" && typeof value !== "symbol";
  if (value === null) return true;
  if (depth > SHALLOW || !isPlain(value) || "toJSON" in value) return false;
  if (Array.isArray(value)) return value.every((inner) => isKept(inner, depth + 1));
  for (const key in value) if (!isKept((value as Record<string, unknown>)[key], depth + 1)) return false;
  return Object.getOwnPropertySymbols(value).length === 0;
}

/**
 * A value as JSON can hold it: what JSON would leave out, empty or refuse (maps, sets, errors, bytes, big integers,
 * symbols, cycles) has a legible form. The value itself where there is nothing of the kind.
 *
 * @example
 * jsonValueOf(new Map([["k", 1]])); // { k: 1 }
 */
export function jsonValueOf(value: unknown): unknown {
  if (isKept(value, 0)) return value;
  const above = new Set<object>();
  const of = (inner: unknown, key: string): unknown => {
    if (typeof inner === "number") return numberOf(inner);
    if (typeof inner === "bigint" || typeof inner === "symbol") return String(inner);
    if (typeof inner !== "object" || inner === null) return inner;
    if (above.has(inner)) return "[Circular]";
    above.add(inner);
    const shown = standIn(inner, key);
    const result = shown === inner ? within(inner) : of(shown, key);
    above.delete(inner);
    return result;
  };
  /** The object itself, or a copy from the first of its values on that is another. */
  const within = (holder: object): unknown => {
    const isList = Array.isArray(holder);
    const symbols = isPlain(holder) ? symbolKeys(holder) : [];
    let copy: Record<string, unknown> | undefined;
    const copied = (): Record<string, unknown> =>
      (isList ? [...(holder as unknown[])] : { ...holder }) as unknown as Record<string, unknown>;
    for (const [key, inner] of Object.entries(holder)) {
      const shown = of(inner, key);
      if (Object.is(shown, inner)) continue;
      copy ??= copied();
      Object.defineProperty(copy, key, {
        value: shown,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    for (const [key, inner] of symbols) {
      copy ??= copied();
      copy[key] = of(inner, key);
    }
    return copy ?? holder;
  };
  return of(value, "");
}
