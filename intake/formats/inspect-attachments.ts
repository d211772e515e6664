import { isObject } from "../../traces/clean-text.ts";
import { numberOf } from "../exact-json.ts";

/** How a text names an attachment; the second is what the first logs wrote. */
const REFERENCE = /^(?:attachment|tc):\/\/(.+)$/s;

/** Texts and images of a sample that are written once, and referred to from wherever they stand. */
export class Attachments {
  readonly #texts: Record<string, unknown>;
  readonly #used = new Set<string>();

  constructor(...texts: unknown[]) {
    this.#texts = Object.assign({}, ...texts.map((each) => (isObject(each) ? each : {}))) as object as Record<
      string,
      unknown
    >;
  }

  /** A value with what it refers to in its place. A reference to nothing stays as it is. */
  resolve(value: unknown): unknown {
    if (typeof value === "string") return this.#textOf(value);
    if (Array.isArray(value)) return (value as unknown[]).map((item) => this.resolve(item));
    // A number that JavaScript cannot hold is an object, and has to stay the very one.
    if (!isObject(value) || numberOf(value) !== undefined) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.resolve(inner)]));
  }

  /** What nothing has referred to. */
  rest(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this.#texts).filter(([name]) => !this.#used.has(name)));
  }

  #textOf(text: string): string {
    const name = REFERENCE.exec(text)?.[1];
    const found = name !== undefined && Object.hasOwn(this.#texts, name) ? this.#texts[name] : undefined;
    if (name === undefined || typeof found !== "string") return text;
    this.#used.add(name);
    return found;
  }
}
