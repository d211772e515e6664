/** Surrogates that stand together are a character, which the second look tells. */
const SUSPICIOUS = /[\0\ud800-\udfff]/;

function clean(text: string): string {
  if (!SUSPICIOUS.test(text)) return text;
  const whole = text.toWellFormed();
  return whole.includes("\0") ? whole.replaceAll("\0", "\ufffd") : whole;
}

/**
 * Replaces what Postgres cannot hold, NUL and lone surrogates, by U+FFFD in every string and key of a value; returns
 * the value itself when there is nothing to replace.
 *
 * @example
 * cleanText({ output: "a\0b" }); // { output: "a\ufffdb" }
 */
export function cleanText<T>(value: T): T;
export function cleanText(value: unknown): unknown {
  if (typeof value === "string") return clean(value);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (const [index, item] of value.entries()) {
      const repaired = cleanText(item as unknown);
      if (Object.is(repaired, item)) continue;
      copy ??= [...value];
      copy[index] = repaired;
    }
    return copy ?? value;
  }
  return cleanObject(value);
}

function cleanObject(value: object): object {
  for (const key of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[key];
    if (clean(key) === key && Object.is(cleanText(inner), inner)) continue;
    // fromEntries defines properties, so that a key "__proto__" stays a key.
    return Object.fromEntries(
      Object.entries(value).map(([name, each]: [string, unknown]) => [clean(name), cleanText(each)]),
    );
  }
  return value;
}

/** Deeper values exhaust the stack of whoever walks them, Postgres included. */
const DEEPEST = 500;

/** Whether the arrays and objects of a JSON text are nested deeper than a limit; brackets in strings do not count. */
export function isTooDeep(text: string, deepest: number = DEEPEST): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (inString && character === "\\") at += 1;
    else if (character === '"') inString = !inString;
    else if (inString) continue;
    else if (character === "[" || character === "{") depth += 1;
    else if (character === "]" || character === "}") depth -= 1;
    if (depth > deepest) return true;
  }
  return false;
}

/**
 * The value of a JSON text, cleaned; undefined where the text is absent, no JSON, or more than 500 levels deep.
 *
 * @example
 * jsonValue('{"path":"a.ts"}'); // { path: "a.ts" }
 */
export function jsonValue(text: string | null | undefined): unknown {
  if (text === null || text === undefined || isTooDeep(text)) return undefined;
  try {
    return cleanText(JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** Says whether a value is an object with keys. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
