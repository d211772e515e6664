import { setTimeout as sleep } from "node:timers/promises";
import { isAtlasError } from "../../errors/atlas-error.ts";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

/** How long to wait before the n-th try (0 is the first repetition). */
export const pauseBefore = (attempt: number): number =>
  Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);

/** Repeats work that fails retryably, until it succeeds or this many milliseconds are over. */
export async function retrying<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const until = performance.now() + timeoutMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const pause = pauseBefore(attempt);
      if (!isAtlasError(error) || !error.retryable || performance.now() + pause > until) throw error;
      await sleep(pause);
    }
  }
}
