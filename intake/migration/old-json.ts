import { isObject } from "../../traces/clean-text.ts";
import { elementsOf, membersOf } from "./json-slices.ts";

/** A JSON value with the text that it was written in, so that what is passed on stays as it was. */
export interface Written {
  value: unknown;
  raw: string;
}

const NOTHING: Written = { value: undefined, raw: "null" };

/** Parses a JSON text; values that hold JSON in a string, as some writers stored them, are taken for what they hold. */
export function written(raw: string): Written {
  const value: unknown = JSON.parse(raw);
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return { value, raw };
  try {
    return { value: JSON.parse(value) as unknown, raw: value };
  } catch {
    return { value, raw };
  }
}

/** A member of an object; nothing where it is no object or lacks it. */
export function memberOf(parent: Written, ...names: readonly string[]): Written {
  if (!isObject(parent.value)) return NOTHING;
  const members = membersOf(parent.raw);
  for (const name of names) {
    const raw = members.get(name);
    if (raw !== undefined && raw !== "null") return written(raw);
  }
  return NOTHING;
}

/** The elements of an array; none where it is no array. */
export const itemsOf = ({ value, raw }: Written): Written[] =>
  Array.isArray(value) ? elementsOf(raw).map(written) : [];

/** Text that says something, else undefined. */
export const textIn = ({ value }: Written): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** A finite number, else undefined. */
export const numberIn = ({ value }: Written): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

/** The JSON text of a value that is there, else null. */
export const jsonIn = ({ value, raw }: Written): string | null =>
  value === undefined || value === null ? null : raw;

/** Every text of an array. */
export const textsIn = (array: Written): string[] =>
  itemsOf(array).flatMap((item) => (typeof item.value === "string" ? [item.value] : []));
