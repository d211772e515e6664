import { v5, v7, validate } from "uuid";
import type { Micros, Uuid } from "./generated/events.ts";

/** Namespace of every UUIDv5 of this package. */
const NAMESPACE = "6f3f6a4e-7c0b-5d0e-9a57-2b0c5c1d7e11";

/**
 * A time-ordered id (UUIDv7) for something that happens now.
 *
 * @example
 * const event_id = newId();
 */
export const newId = (): Uuid => v7();

/**
 * The id (UUIDv5) of what these parts name: the same parts give the same id anywhere.
 *
 * @example
 * idOf("session", contentHash);
 */
export const idOf = (...parts: readonly (string | number)[]): Uuid => v5(JSON.stringify(parts), NAMESPACE);

/** Says whether a text is a UUID. */
export const isUuid = (text: string): boolean => validate(text);

/** How far the wall clock may be ahead before it counts: what it is set by in small steps is no news. */
const AHEAD_MS = 1000;
let origin = performance.timeOrigin;

/**
 * The present, in microseconds since the epoch. Within a process it never goes back; it follows the wall clock when that
 * is set forward, and when the machine slept.
 */
export function nowMicros(): Micros {
  const ahead = Date.now() - (origin + performance.now());
  if (ahead > AHEAD_MS) origin += ahead;
  return Math.round((origin + performance.now()) * 1000);
}

/** An ISO-8601 UTC time with microseconds. */
export function isoOf(micros: Micros): string {
  const seconds = new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % 1_000_000).padStart(6, "0")}+00:00`;
}
