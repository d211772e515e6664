import { errorWords } from "./logged-error.ts";
import type { LogFields } from "./logger.ts";

/**
 * An entry in one line for people: who says it, what, about what, and why.
 *
 * @example
 * entryText({ component: "consumer", code: "ATLAS_CONSUMER_RESUMED", group: "drift" }, "goes on"); // "drift: goes on"
 */
export function entryText({ component, code: _, group, err, ...rest }: LogFields, message: string): string {
  const details = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${String(value)}`);
  const about = details.length === 0 ? "" : ` (${details.join(", ")})`;
  const why = err === undefined ? "" : `: ${errorWords(err)}`;
  return `${group ?? component}: ${message}${about}${why}`.replace(/\s+/g, " ");
}
