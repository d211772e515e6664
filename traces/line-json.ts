import { cleanText } from "./clean-text.ts";

/** Line ends that JSON leaves alone and that line-splitting readers do not. */
const LINE_ENDS = /[\u0085\u2028\u2029]/;

const escapeLineEnd = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

function quote(text: string): string {
  const quoted = JSON.stringify(cleanText(text));
  return LINE_ENDS.test(quoted) ? quoted.replace(new RegExp(LINE_ENDS, "g"), escapeLineEnd) : quoted;
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
    text += `${text === "" ? "" : ", "}${quote(key)}: ${write(inner)}`;
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
