const FIRST_MS = 1000;
const LONGEST_MS = 3_600_000;
const LONGEST_ASKED_MS = 86_400_000;

/**
 * Milliseconds until the next attempt: twice as long after each one, up to an hour, less up to half of it by chance,
 * so that what failed together does not come back together; and no less than the receiver asked for, up to a day.
 *
 * @param attempts made so far, at least 1
 * @param askedMs what the receiver asked for
 * @param chance 0 up to 1
 */
export function pauseAfter(attempts: number, askedMs: number, chance: number): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts - 1, 30));
  const own = longest * (1 - chance / 2);
  return Math.round(Math.max(own, Math.min(askedMs, LONGEST_ASKED_MS)));
}

/**
 * Milliseconds that a `Retry-After` asks for, as seconds or as a date; 0 where it is absent or says nothing.
 *
 * @param now milliseconds since the epoch
 */
export function retryAfterMs(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  const text = header.trim();
  const asked = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(asked) ? Math.max(0, asked) : 0;
}
