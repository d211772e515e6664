import { BACKSLASH, endOfScalar, isJson, QUOTE } from "./json-tokens.ts";
import type { Span } from "./spans.ts";

/** Where an object or a list may begin that holds texts. */
const OPENING = /\{(?=\s*")|\[(?=\s*["[{])/g;
const SCALAR = /^(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;
const BLANK = /\s*/y;

type Expected = "value" | "value or end" | "key" | "after";

/** The end of a string on one line, as strings of JSON are; undefined where it does not end. */
function endOfLineString(text: string, start: number): { end: number; closed: boolean } {
  let index = start + 1;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) return { end: index + 1, closed: true };
    if (code < 0x20) break;
    index += code === BACKSLASH ? 2 : 1;
  }
  return { end: Math.min(index, text.length), closed: false };
}

/** Reads JSON as far as it goes and notes what is whole; nothing is read twice. */
class Reader {
  readonly parts: Span[] = [];
  readonly #text: string;
  #open: { start: number; isObject: boolean }[] = [];
  #expected: Expected = "value";

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads from where something may begin; returns where that ended, or where it was no JSON any more. */
  read(start: number): number {
    this.#open = [];
    this.#expected = "value";
    let at = start;
    do {
      const next = this.#token(at);
      if (next === undefined) return Math.max(this.#failedAt, start + 1);
      at = next;
    } while (this.#open.length > 0);
    return at;
  }

  #failedAt = 0;

  #token(from: number): number | undefined {
    const text = this.#text;
    BLANK.lastIndex = from;
    const at = from + (BLANK.exec(text)?.[0].length ?? 0);
    this.#failedAt = at;
    const char = text[at];
    const inside = this.#open.at(-1);
    if (char === "}" || char === "]") return this.#close(at, char === "}");
    if (char === ",") {
      if (this.#expected !== "after" || inside === undefined) return undefined;
      this.#expected = inside.isObject ? "key" : "value";
      return at + 1;
    }
    if (this.#expected === "after" || char === undefined) return undefined;
    if (char === '"') return this.#string(at);
    if (this.#expected === "key") return undefined;
    if (char === "{" || char === "[") {
      this.#open.push({ start: at, isObject: char === "{" });
      this.#expected = char === "{" ? "key" : "value or end";
      return at + 1;
    }
    const end = endOfScalar(text, at);
    if (!SCALAR.test(text.slice(at, Math.min(end, at + 400)))) return undefined;
    this.#expected = "after";
    return end;
  }

  #string(at: number): number | undefined {
    const { end, closed } = endOfLineString(this.#text, at);
    this.#failedAt = end;
    if (!closed) return undefined;
    if (this.#expected !== "key") {
      this.#expected = "after";
      return end;
    }
    BLANK.lastIndex = end;
    const colon = end + (BLANK.exec(this.#text)?.[0].length ?? 0);
    if (this.#text[colon] !== ":") return undefined;
    this.#expected = "value";
    return colon + 1;
  }

  #close(at: number, isObject: boolean): number | undefined {
    const inside = this.#open.at(-1);
    const isEmpty = this.#expected === "value or end" || (this.#expected === "key" && this.#isBegun(at));
    if (inside?.isObject !== isObject || (this.#expected !== "after" && !isEmpty)) return undefined;
    this.#open.pop();
    while (this.parts.length > 0 && this.parts.at(-1)!.start >= inside.start) this.parts.pop();
    this.parts.push({ start: inside.start, end: at + 1 });
    this.#expected = "after";
    return at + 1;
  }

  /** An object has just begun: it may end, which it may not after a comma. */
  #isBegun(at: number): boolean {
    const before = this.#text.slice(Math.max(0, at - 64), at).trimEnd();
    return before === "" || before.endsWith("{");
  }
}

/** Says whether JSON may begin somewhere in a text. */
export const mayHoldJson = (text: string): boolean => text.includes('"') && text.search(OPENING) !== -1;

/**
 * Objects and lists of JSON within a text that is none: in a code fence, on lines of their own, or in a sentence. Of
 * what was cut off, those that are whole.
 *
 * @example
 * jsonParts('got {"a":1} and {"b":{"c":2},'); // [{ start: 4, end: 11 }, { start: 21, end: 28 }]
 */
export function jsonParts(text: string): Span[] {
  const reader = new Reader(text);
  OPENING.lastIndex = 0;
  for (let match = OPENING.exec(text); match !== null; match = OPENING.exec(text))
    OPENING.lastIndex = reader.read(match.index);
  return reader.parts.filter(({ start, end }) => isJson(text.slice(start, end)));
}
