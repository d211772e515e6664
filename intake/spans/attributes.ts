import { isObject } from "../../traces/clean-text.ts";
import { numberOf } from "../exact-json.ts";
import { numberIn, textIn } from "../formats/fields.ts";

type Entry = [path: string[], value: unknown];

const isTree = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && numberOf(value) === undefined && Object.keys(value).length > 0;

/** An object whose names are the places of a list. */
const isListed = (names: string[]): boolean =>
  names.length > 0 && names.every((name) => /^\d{1,6}$/.test(name));

function treeOf(entries: readonly Entry[]): unknown {
  const groups = new Map<string, Entry[]>();
  for (const [[name = "", ...path], value] of entries) {
    const group = groups.get(name) ?? [];
    groups.set(name, group);
    group.push([path, value]);
  }
  const members = [...groups].map(([name, group]): [string, unknown] => {
    const leaf = group.find(([path]) => path.length === 0);
    const inner = group.filter(([path]) => path.length > 0);
    // A name that has a value and names below it: the names say more.
    return [name, inner.length > 0 ? treeOf(inner) : unfolded(leaf![1])];
  });
  if (!isListed(members.map(([name]) => name))) return Object.fromEntries(members);
  return members.sort(([a], [b]) => Number(a) - Number(b)).map(([, value]) => value);
}

/** Names with dots become objects in objects, names that are numbers lists; also within lists. */
export function unfolded(value: unknown): unknown {
  if (Array.isArray(value)) return (value as unknown[]).map(unfolded);
  if (!isTree(value)) return value;
  const entries = Object.entries(value);
  // Objects without dots are what was said; a list is not made of them.
  if (!entries.some(([name]) => name.includes(".")))
    return Object.fromEntries(entries.map(([name, inner]) => [name, unfolded(inner)]));
  return treeOf(entries.map(([name, inner]): Entry => [name.split("."), inner]));
}

/**
 * The attributes of a span under flat names. Those that hold what was said are taken; the others stay what they are.
 *
 * @example
 * const attributes = new Attributes({ "llm.input_messages.0.message.role": "user" });
 * attributes.take("llm.input_messages"); // [{ message: { role: "user" } }]
 */
export class Attributes {
  readonly #flat = new Map<string, unknown>();
  readonly #taken = new Map<string, unknown>();
  readonly #takenNames = new Set<string>();

  constructor(given: Record<string, unknown>) {
    for (const [name, value] of Object.entries(given)) this.#add(name, value);
  }

  #add(name: string, value: unknown): void {
    if (!isTree(value)) return void this.#flat.set(name, value);
    for (const [key, inner] of Object.entries(value)) this.#add(`${name}.${key}`, inner);
  }

  #below(name: string): string[] {
    return [...this.#flat.keys()].filter((key) => key.startsWith(`${name}.`));
  }

  /** An attribute; one that stands under several names becomes an object or a list. */
  get(name: string): unknown {
    if (this.#flat.has(name)) return unfolded(this.#flat.get(name));
    return this.#treeBelow(name, this.#below(name));
  }

  #treeBelow(name: string, keys: string[]): unknown {
    if (keys.length === 0) return undefined;
    return treeOf(keys.map((key): Entry => [key.slice(name.length + 1).split("."), this.#flat.get(key)]));
  }

  /** The first of several attributes that is a text. */
  text(...names: string[]): string | undefined {
    return names.map((name) => textIn(this.get(name))).find((found) => found !== undefined);
  }

  /** The first of several attributes that is a number. */
  number(...names: string[]): number | undefined {
    return names.map((name) => numberIn(this.#flat.get(name))).find((found) => found !== undefined);
  }

  has(name: string): boolean {
    return this.#flat.has(name) || this.#below(name).length > 0;
  }

  /** Whether any name begins with this. */
  hasPrefix(prefix: string): boolean {
    return [...this.#flat.keys()].some((key) => key.startsWith(prefix));
  }

  /** Takes an attribute that holds something of the conversation. */
  take(name: string): unknown {
    const value = this.get(name);
    if (value === undefined) return undefined;
    this.#taken.set(name, value);
    for (const key of this.#flat.has(name) ? [name] : this.#below(name)) this.#takenNames.add(key);
    return value;
  }

  /** Takes an attribute only where it has a value itself. */
  takeOwn(name: string): unknown {
    return this.#flat.has(name) ? this.take(name) : undefined;
  }

  /** Takes what stands below a name, also where the name itself has a value. */
  takeBelow(name: string): unknown {
    const keys = this.#below(name);
    if (keys.length === 0) return undefined;
    const value = this.#treeBelow(name, keys);
    this.#taken.set(`${name}.*`, value);
    for (const key of keys) this.#takenNames.add(key);
    return value;
  }

  /** What was taken. */
  taken(): Record<string, unknown> {
    return Object.fromEntries(this.#taken);
  }

  /** What was not, under its flat names. */
  rest(): Record<string, unknown> {
    return Object.fromEntries([...this.#flat].filter(([name]) => !this.#takenNames.has(name)));
  }
}
