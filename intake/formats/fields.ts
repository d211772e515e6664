import { learningKeyProblem } from "../../schemas/learning-key.ts";
import type { SessionStatus } from "../../schemas/vocabulary.ts";
import { isObject } from "../../traces/clean-text.ts";
import { numberOf } from "../exact-json.ts";

/** Reads a value as something; undefined where it is none. */
export type Reader<T> = (value: unknown) => T | undefined;

/** A text that is not empty. */
export const textIn: Reader<string> = (value) =>
  typeof value === "string" && value !== "" ? value : undefined;

/** A name: a text that is not empty, or a number in its digits. */
export const nameIn: Reader<string> = (value) =>
  numberOf(value) === undefined ? textIn(value) : JSON.stringify(value);

/** A finite number, also as text; true is 1 and false is 0. */
export const numberIn: Reader<number> = (value) => {
  if (typeof value === "boolean") return Number(value);
  const number = numberOf(value) ?? Number(textIn(value)?.trim() || Number.NaN);
  return Number.isFinite(number) ? number : undefined;
};

function parsedText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An object, also as JSON text. */
export const objectIn: Reader<Record<string, unknown>> = (value) => {
  const given = typeof value === "string" && value.trimStart().startsWith("{") ? parsedText(value) : value;
  return isObject(given) ? given : undefined;
};

/** A list, also as JSON text. */
export const listIn: Reader<unknown[]> = (value) => {
  const given = typeof value === "string" && value.trimStart().startsWith("[") ? parsedText(value) : value;
  return Array.isArray(given) ? (given as unknown[]) : undefined;
};

/** A list of texts alone. */
export const textsIn: Reader<string[]> = (value) => {
  const list = listIn(value);
  return list?.every((item) => typeof item === "string") ? list : undefined;
};

export const learningKeyIn: Reader<string> = (value) =>
  typeof value === "string" && learningKeyProblem(value) === undefined ? value : undefined;

const STATUSES: Record<string, SessionStatus> = {
  succeeded: "succeeded",
  success: "succeeded",
  successful: "succeeded",
  completed: "succeeded",
  complete: "succeeded",
  done: "succeeded",
  finished: "succeeded",
  passed: "succeeded",
  pass: "succeeded",
  resolved: "succeeded",
  ok: "succeeded",
  failed: "failed",
  failure: "failed",
  fail: "failed",
  error: "failed",
  errored: "failed",
  unresolved: "failed",
  timeout: "failed",
  cancelled: "cancelled",
  canceled: "cancelled",
  aborted: "cancelled",
  interrupted: "cancelled",
};

/** How a session ended, in any of the words that are used for it. */
export const statusIn: Reader<SessionStatus> = (value) => {
  const word = typeof value === "string" ? value.toLowerCase() : "";
  return Object.hasOwn(STATUSES, word) ? STATUSES[word] : undefined;
};

/**
 * The fields of a record. Those that are taken have got a place of their own; what is left over is kept as metadata, so
 * that nothing is dropped.
 *
 * @example
 * const row = new Fields({ id: 7, split: "train" });
 * row.take("id", nameIn); // "7"
 * row.rest(); // { split: "train" }
 */
export class Fields {
  readonly record: Record<string, unknown>;
  readonly #taken = new Set<string>();
  readonly #replaced = new Map<string, unknown>();

  constructor(record: Record<string, unknown>) {
    this.record = record;
  }

  /** Takes a field as something. One that is none of it is left over; null is as good as absent. */
  take<T>(name: string, as: Reader<T>): T | undefined {
    if (!Object.hasOwn(this.record, name)) return undefined;
    const value = this.record[name];
    const read = value === null ? undefined : as(value);
    if (value === null || read !== undefined) this.#taken.add(name);
    return read;
  }

  /** Takes a field as {@link take} does, and tells where it could not be used. */
  takeOrTell<T>(name: string, as: Reader<T>, wanted: string, note: (what: string) => void): T | undefined {
    const taken = this.take(name, as);
    if (taken === undefined && this.isLeft(name))
      note(`${name} is not ${wanted}: it is kept with the metadata`);
    return taken;
  }

  /** Takes fields whose content has got a place already. */
  drop(...names: string[]): void {
    for (const name of names) this.#taken.add(name);
  }

  /** Leaves over something else than a field's value: what of it has got no place. */
  replace(name: string, left: unknown): void {
    this.#taken.add(name);
    if (left !== undefined) this.#replaced.set(name, left);
  }

  /** Whether a field is there, is not null, and was not taken. */
  isLeft(name: string): boolean {
    return Object.hasOwn(this.record, name) && this.record[name] != null && !this.#taken.has(name);
  }

  /** What was not taken; undefined where that is nothing. */
  rest(): Record<string, unknown> | undefined {
    const left = Object.entries(this.record)
      .filter(([name]) => !this.#taken.has(name) || this.#replaced.has(name))
      .map(([name, value]) => [name, this.#replaced.get(name) ?? value] as const);
    return left.length === 0 ? undefined : Object.fromEntries(left);
  }
}

/** An object of those members that are there; undefined where none is. */
export function present(members: Record<string, unknown>): Record<string, unknown> | undefined {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
