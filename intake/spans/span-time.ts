import type { Micros } from "../../schemas/generated/events.ts";
import { isObject } from "../../traces/clean-text.ts";
import { numberOf } from "../exact-json.ts";
import type { ReadingContext } from "../formats/format.ts";

/** Seconds and nanoseconds, as the SDK for JavaScript counts. */
export function pairIn(value: unknown): Micros | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [seconds, nanos] = (value as unknown[]).map(numberOf);
  return seconds === undefined || nanos === undefined
    ? undefined
    : seconds * 1_000_000 + Math.round(nanos / 1000);
}

/** The first of several fields that is a time. */
export const timeIn = (
  span: Record<string, unknown>,
  names: readonly string[],
  { timeOf }: ReadingContext,
) => {
  for (const name of names) {
    const at = pairIn(span[name]) ?? (isObject(span[name]) ? undefined : timeOf(span[name], name));
    if (at !== undefined) return at;
  }
  return undefined;
};
