import { cleanText } from "./clean-text.ts";

/** What a string may hold that JSON leaves alone and that readers do not: line ends, and what cleanText replaces. */
const SUSPICIOUS = /[\0\u0085\u2028\u2029\ud800-\udfff]/;
const LINE_ENDS = /[\u0085\u2028\u2029]/g;

const escapeLineEnd = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

const quote = (text: string): string =>
  SUSPICIOUS.test(text)
    ? JSON.stringify(cleanText(text)).replace(LINE_ENDS, escapeLineEnd)
    : JSON.stringify(text);

/** Records have the same few keys again and again; keys of users' values are text, not keys. */
const quotedKeys = new Map<string, string>();
const MOST_KEYS = 4096;

function quoteKey(key: string): string {
  const known = quotedKeys.get(key);
  if (known !== undefined) return known;
  const quoted = quote(key);
  if (quotedKeys.size < MOST_KEYS) quotedKeys.set(key, quoted);
  return quoted;
}

function write(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "number":
      return Number.isFinite(value) ? String(value) : "null";
    case "boolean":
      return value ? "true" : "false";
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? `[${value.map(write).join(", ")}]` : writeObject(value);
    default:
      return "null";
  }
}

function writeObject(value: object): string {
  let text = "";
  for (const key of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[key];
    if (inner === undefined) continue;
    text += `${text === "" ? "" : ", "}${quoteKey(key)}: ${write(inner)}`;
  }
  return `{${text}}`;
}

/**
 * JSON on one line with `", "` and `": "` between, as Python writes it. Characters outside ASCII stay as they are,
 * except for those that end a line somewhere; NUL and lone surrogates become U+FFFD.
 *
 * @example
 * lineJson({ task: "zählen", steps: [] }); // '{"task": "zählen", "steps": []}'
 */
export const lineJson = (value: object): string => write(value);
