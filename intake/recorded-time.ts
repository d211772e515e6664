import type { Micros } from "../schemas/generated/events.ts";
import { numberOf } from "./exact-json.ts";

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?)? ?(Z|[+-]\d\d:?\d\d|)$/i;
/** As mails and HTTP write it, with its zone: `Tue, 15 Nov 1994 08:12:31 GMT`. */
const MAIL = /^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? (?:GMT|UTC?|Z|[+-]\d{4})$/;
/** The end of the year 2254: later times are no safe integers in microseconds. */
const LATEST = 9_000_000_000_000_000;

function microsOfNumber(value: number): Micros {
  // Times since 1973 differ by more than their units do: 1e10 s is the year 2286, 1e13 ms and 1e16 µs as well.
  if (value < 1e11) return Math.round(value * 1e6);
  if (value < 1e14) return Math.round(value * 1e3);
  return Math.round(value < 1e17 ? value : value / 1e3);
}

/** How far the clocks of a zone are before UTC at a moment, in milliseconds. */
function offsetOf(zone: string, at: number): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).formatToParts(at);
  const part = (type: string): string => parts.find((found) => found.type === type)!.value;
  const shown = `${part("year")}-${part("month")}-${part("day")}T${part("hour")}:${part("minute")}:${part("second")}Z`;
  return Date.parse(shown) - Math.floor(at / 1000) * 1000;
}

/** The moment at which the clocks of a zone show a time; of two the first. */
function inZone(zone: string, shown: number): number {
  const guess = shown - offsetOf(zone, shown);
  return shown - offsetOf(zone, guess);
}

function microsOfText(text: string, zone: string): Micros | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return microsOfNumber(Number(text));
  if (MAIL.test(text)) return Date.parse(text) * 1000;
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, date, minutes = "00:00", seconds = ":00", fraction = "", offset] = match;
  // Date.parse takes the 30th of February for the 1st of March.
  const midnight = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(date!)) return undefined;
  const suffix = offset === "" ? "Z" : offset!.toUpperCase().replace(/(\d\d)(\d\d)$/, "$1:$2");
  const millis = Date.parse(`${date}T${minutes}${seconds}${suffix}`);
  if (Number.isNaN(millis)) return undefined;
  const moment = offset === "" && zone !== "UTC" ? inZone(zone, millis) : millis;
  return moment * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

/** Whether a text names a zone that times can be read in. */
export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads a recorded time: ISO 8601, the form of mails and HTTP, or the seconds, milliseconds, microseconds or nanoseconds
 * since the epoch.
 *
 * @param zone the zone of a text that names none, as IANA does or as an offset such as `+02:00`
 * @returns microseconds since the epoch; undefined for anything else, and for times before 1970 or after 2254
 * @example
 * microsOf("2024-05-15T15:00:00Z"); // 1715785200000000
 * microsOf(1715785200); // 1715785200000000
 */
export function microsOf(value: unknown, zone = "UTC"): Micros | undefined {
  const number = numberOf(value);
  const micros =
    number !== undefined
      ? microsOfNumber(number)
      : typeof value === "string"
        ? microsOfText(value.trim(), zone)
        : undefined;
  return micros !== undefined && micros >= 0 && micros <= LATEST ? micros : undefined;
}
