import { inspect } from "node:util";
import type { JsonText } from "./generated/events.ts";
import { jsonValueOf } from "./json-value.ts";

/**
 * The JSON text of any value, and never an error. What JSON itself would lose has a legible form ({@link jsonValueOf}); of
 * what cannot be read or is too deep, there is the text that a person would be shown of it.
 *
 * @example
 * jsonText({ path: "a.ts" }); // '{"path":"a.ts"}'
 */
export function jsonText(value: unknown): JsonText {
  try {
    return JSON.stringify(jsonValueOf(value)) ?? "null";
  } catch {
    return JSON.stringify(inspect(value, { depth: 4 }));
  }
}

/**
 * What a tool or an agent gave back, as text: a text stays as it is, nothing stays nothing, all else becomes JSON.
 *
 * @example
 * textOf({ hits: 2 }); // '{"hits":2}'
 */
export function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : jsonText(value);
}
