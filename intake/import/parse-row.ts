import { isTooDeep } from "../../traces/clean-text.ts";
import { parseExact } from "../exact-json.ts";

/** A row's value, or why it has none; and what had to be changed to read it. */
export type ParsedValue = { value: unknown; note?: string } | { reason: string };

/** Deeper rows are refused: JSON readers of other languages, and of Postgres, give up at about a thousand. */
const MAX_DEPTH = 512;

/** Strings, and the numbers that Python writes though JSON has none of them. */
const NOT_A_NUMBER = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;

/** Node's messages quote what surrounds the fault: a report of problems must not repeat recorded content. */
const syntaxProblem = ({ message }: SyntaxError): string =>
  message
    .split(', "')[0]!
    .split(", ...")[0]!
    .replace(/ in JSON at position \d+.*$/, "");

function parseRepaired(text: string, error: SyntaxError): ParsedValue {
  const repaired = text.replace(NOT_A_NUMBER, (found) => (found.startsWith('"') ? found : "null"));
  if (repaired === text) return { reason: `it is not valid JSON: ${syntaxProblem(error)}` };
  try {
    return { value: parseExact(repaired), note: "NaN and Infinity are no JSON: they are read as null" };
  } catch {
    return { reason: `it is not valid JSON: ${syntaxProblem(error)}` };
  }
}

/**
 * Reads the JSON text of a row.
 *
 * @example
 * const parsed = parseRow('{"reward": NaN}'); // { value: { reward: null }, note: "…" }
 */
export function parseRow(text: string): ParsedValue {
  if (isTooDeep(text, MAX_DEPTH)) return { reason: `it is nested more than ${MAX_DEPTH} levels deep` };
  try {
    return { value: parseExact(text) };
  } catch (error) {
    return parseRepaired(text, error as SyntaxError);
  }
}
