import type { Micros } from "../../schemas/generated/events.ts";

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?)? ?(Z|[+-]\d\d:?\d\d|)$/i;
/** The end of the year 2254: later times are no safe integers in microseconds. */
const LATEST = 9_000_000_000_000_000;

function microsOfNumber(value: number): Micros {
  // Times since 1973 differ by more than their units do: 1e10 s is the year 2286, 1e13 ms as well.
  if (value < 1e11) return Math.round(value * 1e6);
  return Math.round(value < 1e14 ? value * 1e3 : value);
}

function microsOfText(text: string): Micros | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return microsOfNumber(Number(text));
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, date, minutes = "00:00", seconds = ":00", fraction = "", zone] = match;
  // Date.parse takes the 30th of February for the 1st of March.
  const midnight = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(date!)) return undefined;
  const offset = zone === "" ? "Z" : zone!.toUpperCase().replace(/(\d\d)(\d\d)$/, "$1:$2");
  const millis = Date.parse(`${date}T${minutes}${seconds}${offset}`);
  if (Number.isNaN(millis)) return undefined;
  return millis * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

/**
 * Reads a recorded time: ISO 8601 (UTC unless it names a zone) or the seconds, milliseconds or microseconds since
 * the epoch.
 *
 * @returns microseconds since the epoch; undefined for anything else, and for times before 1970 or after 2254
 * @example
 * microsOf("2024-05-15T15:00:00Z"); // 1715785200000000
 * microsOf(1715785200); // 1715785200000000
 */
export function microsOf(value: unknown): Micros | undefined {
  const micros =
    typeof value === "number"
      ? microsOfNumber(value)
      : typeof value === "string"
        ? microsOfText(value.trim())
        : undefined;
  return micros !== undefined && micros >= 0 && micros <= LATEST ? micros : undefined;
}
