import { setTimeout as sleep } from "node:timers/promises";
import { isAtlasError } from "./atlas-error.ts";

/** How long to wait before the next try, in milliseconds: any time up to a limit that doubles with each try. */
export interface Backoff {
  /** The limit before the second try. */
  firstMs: number;
  /** The highest limit. */
  longestMs: number;
}

/** How work is tried again. */
export interface RetryOptions extends Backoff {
  /** Whether an error may pass by itself; those that are `retryable` unless told. */
  passes?: ((error: unknown) => boolean) | undefined;
  /** Most tries in all; any number unless told. */
  tries?: number | undefined;
  /** Milliseconds after the first try began from which on no other begins; any time unless told. */
  forMs?: number | undefined;
  /** Ends a pause, and keeps another try from beginning. Work that is under way is not interrupted. */
  signal?: AbortSignal | undefined;
  /** Called with each error that is waited out, and with undefined once work succeeded after one. */
  onRetry?: ((error: unknown) => void) | undefined;
  /** 0 up to 1; by chance unless told. */
  random?: (() => number) | undefined;
}

/** Most milliseconds that somebody else may ask to wait while work is held up by it. */
const LONGEST_ASKED_MS = 60_000;

const isRetryable = (error: unknown): boolean => isAtlasError(error) && error.retryable;

/**
 * Milliseconds to wait after so many failures in a row, 1 or more. By chance, so that what failed together does not
 * come back together.
 *
 * @example
 * backoffMs({ firstMs: 1000, longestMs: 60_000 }, 3); // 0 up to 4000
 */
export const backoffMs = (
  { firstMs, longestMs }: Backoff,
  failures: number,
  random: () => number = Math.random,
): number => random() * Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 60));

/**
 * Waits.
 *
 * @throws the signal's reason, at once when it aborts
 */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
}

/**
 * Does work until it succeeds, fails with an error that does not pass, or may be tried no more. An error that carries
 * `retryAfterMs` is waited out for so long, a minute at most. Time is counted by a clock that nobody sets.
 *
 * @param work takes how often it failed before
 * @throws what the last try threw, or the signal's reason
 * @example
 * await retry(() => log.append(events), { firstMs: 50, longestMs: 2000, tries: 5 });
 */
export async function retry<T>(work: (failures: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const {
    passes = isRetryable,
    tries = Number.POSITIVE_INFINITY,
    forMs = Number.POSITIVE_INFINITY,
  } = options;
  const { signal, onRetry, random } = options;
  const until = performance.now() + forMs;
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    try {
      const result = await work(failures);
      if (failures > 0) onRetry?.(undefined);
      return result;
    } catch (error) {
      failures += 1;
      if (failures >= tries || !passes(error)) throw error;
      const asked = isAtlasError(error) ? error.retryAfterMs : undefined;
      const ms =
        asked === undefined ? backoffMs(options, failures, random) : Math.min(asked, LONGEST_ASKED_MS);
      if (performance.now() + ms > until) throw error;
      onRetry?.(error);
      await pause(ms, signal);
    }
  }
}
