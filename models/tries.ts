import { AtlasError } from "../errors/atlas-error.ts";
import { type Backoff, retry } from "../errors/retry.ts";
import type { CallOptions, Patience } from "./model-client.ts";
import { type Asked, lateReply, ModelFailure, modelError } from "./model-error.ts";
import { noteRest, untilRested } from "./rest.ts";

/** One try of a call. */
export interface Try {
  /** Aborts when the call is cancelled, or the try takes too long. */
  signal: AbortSignal;
  /** Says that a piece of the answer came: the time of the try begins again. */
  alive(): void;
}

/** Whom is asked, and how patiently. */
export interface Trying extends CallOptions {
  asked: Asked;
  patience: Patience;
  /** Whether the SDK's error says that the provider was not reached. */
  isUnreachable(error: unknown): boolean;
}

/** Between the tries of a call. */
export const CALL_BACKOFF: Backoff = { firstMs: 500, longestMs: 8000 };

async function tryOnce<T>(
  { asked, patience, signal, isUnreachable }: Trying,
  work: (one: Try) => Promise<T>,
): Promise<T> {
  const { timeoutMs = 60_000 } = patience;
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  const timer = setTimeout(() => controller.abort(lateReply(asked, timeoutMs)), timeoutMs);
  try {
    return await work({ signal: controller.signal, alive: () => void timer.refresh() });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (controller.signal.aborted) throw controller.signal.reason;
    throw error instanceof AtlasError ? error : modelError(error, asked, isUnreachable(error));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

/**
 * Asks a provider until it answers, fails for good, or the tries are used up. An SDK's own retries must be off: they
 * do not hear how long the body of an answer takes, and cannot be counted.
 *
 * @throws AtlasError ATLAS_MODEL_UNAVAILABLE, ATLAS_MODEL_FAILED, or the signal's reason at once when it aborts
 */
export async function withTries<T>(trying: Trying, work: (one: Try) => Promise<T>): Promise<T> {
  const { signal, onTry, onFailedTry } = trying;
  const { maxRetries = 2 } = trying.patience;
  return retry(
    async () => {
      await untilRested(trying.asked, signal);
      onTry?.();
      return tryOnce(trying, work).catch((error: unknown) => {
        if (error instanceof ModelFailure) noteRest(trying.asked, error);
        throw error;
      });
    },
    {
      ...CALL_BACKOFF,
      tries: maxRetries + 1,
      passes: (error) => !signal?.aborted && error instanceof ModelFailure && error.retryable,
      onRetry: (error) => {
        if (error instanceof ModelFailure) onFailedTry?.(error);
      },
      signal,
    },
  );
}
