import { AtlasError } from "../../errors/atlas-error.ts";
import type { Micros } from "../../schemas/generated/events.ts";

const UNITS: Record<string, number> = { m: 60e6, h: 3600e6, d: 86_400e6, w: 604_800e6 };

/**
 * A time that a person named: a date, or how long before now (`90m`, `24h`, `7d`, `2w`).
 *
 * @throws AtlasError ATLAS_USAGE
 * @example
 * sinceOf("7d"); // a week ago, in microseconds
 */
export function sinceOf(text: string, now: Micros): Micros {
  const span = /^(\d+(?:\.\d+)?)([mhdw])$/.exec(text);
  if (span !== null) return now - Number(span[1]) * UNITS[span[2]!]!;
  const date = Date.parse(text);
  if (/^\d{4}-\d{2}/.test(text) && !Number.isNaN(date)) return date * 1000;
  throw new AtlasError("ATLAS_USAGE", `${JSON.stringify(text)} is neither a date nor a span of time`, {
    where: "--since",
    hint: "Such as 2025-03-01, 2025-03-01T12:00:00Z, 24h or 7d.",
  });
}
