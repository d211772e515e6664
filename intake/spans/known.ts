import { isObject } from "../../traces/clean-text.ts";
import { numberOf } from "../exact-json.ts";
import { parsedText } from "./said.ts";

/** Names that only say what their siblings are. */
const MARKERS = new Set(["type", "role", "object"]);

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && numberOf(value) === undefined && Object.keys(value).length === 0);

/**
 * What a conversation holds already. Spans repeat it, each call all that was said before it: what is known is not kept
 * a second time.
 */
export class Known {
  readonly #texts = new Set<string>();
  readonly #values = new Set<string>();

  /** Takes all that a value holds for known, JSON in texts as well. */
  add(value: unknown, name = ""): void {
    if (typeof value === "string") {
      if (this.#texts.has(value)) return;
      this.#texts.add(value);
      const inner = parsedText(value);
      if (inner !== value) this.add(inner, name);
    } else if (Array.isArray(value)) {
      for (const item of value as unknown[]) this.add(item, name);
    } else if (isObject(value) && numberOf(value) === undefined) {
      for (const [key, inner] of Object.entries(value)) this.add(inner, key);
    } else if (value !== undefined && value !== null) {
      this.#values.add(`${name}=${JSON.stringify(value)}`);
    }
  }

  /** What of a value is not known; undefined where that is nothing. */
  unknownOf(value: unknown, name = ""): unknown {
    if (isEmpty(value)) return undefined;
    if (typeof value === "string") return this.#unknownText(value, name);
    if (Array.isArray(value)) {
      const left = (value as unknown[]).map((item) => this.unknownOf(item, name));
      return left.every((item) => item === undefined) ? undefined : left.filter((item) => item !== undefined);
    }
    if (!isObject(value) || numberOf(value) !== undefined)
      return this.#values.has(`${name}=${JSON.stringify(value)}`) ? undefined : value;
    const left = Object.entries(value)
      .map(([key, inner]): [string, unknown] => [key, this.unknownOf(inner, key)])
      .filter(([, inner]) => inner !== undefined);
    const isMarked = left.every(([key]) => MARKERS.has(key)) && left.length < Object.keys(value).length;
    return isMarked ? undefined : Object.fromEntries(left);
  }

  #unknownText(text: string, name: string): unknown {
    if (this.#texts.has(text)) return undefined;
    const inner = parsedText(text);
    // A text that holds a text is not the same text.
    if (typeof inner === "string") return text;
    const left = this.unknownOf(inner, name);
    // Text of which all is new stays the text that it was.
    return left === undefined || JSON.stringify(left) !== JSON.stringify(inner) ? left : text;
  }
}

/** An object without what says nothing. */
export function withoutEmpty(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => !isEmpty(inner)));
}
