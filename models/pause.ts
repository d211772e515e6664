import { setTimeout as sleep } from "node:timers/promises";

const LONGEST_PAUSE_MS = 60_000;

interface Named {
  get(name: string): string | null;
}

/**
 * Milliseconds that a server asks to wait, at most a minute: `retry-after-ms`, or `Retry-After` in seconds or as a date.
 *
 * @example
 * askedPause(new Headers({ "retry-after": "2" })); // 2000
 */
export function askedPause(headers: Named): number | undefined {
  const exact = headers.get("retry-after-ms")?.trim();
  const header = headers.get("retry-after")?.trim();
  const ms = exact
    ? Number(exact)
    : header
      ? Number.isNaN(Number(header))
        ? Date.parse(header) - Date.now()
        : Number(header) * 1000
      : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_PAUSE_MS);
}

/** Twice as long with each try, from half a second, and never the same for two callers. */
export const ownPause = (tried: number): number =>
  Math.min(500 * 2 ** tried, 8000) * (0.5 + Math.random() / 2);

/**
 * Waits.
 *
 * @throws the signal's reason, at once when it aborts
 */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
}
