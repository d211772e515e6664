import { pause } from "../errors/retry.ts";
import type { Asked, ModelFailure } from "./model-error.ts";

/** What a server says when it has more to do than it can. */
const OVERLOADED: readonly unknown[] = [429, 503, 529];

/** Until when a server that said so is left alone, by its address and the key that it counts. */
const restingUntil = new Map<string, number>();

const keyOf = ({ baseUrl, apiKey }: Asked): string => `${baseUrl} ${apiKey}`;

/** Takes note that a server asked for a rest: all calls of this process to it wait, not only the one that heard it. */
export function noteRest(
  asked: Asked,
  { status, retryAfterMs }: Pick<ModelFailure, "status" | "retryAfterMs">,
): void {
  if (retryAfterMs === undefined || !OVERLOADED.includes(status)) return;
  const key = keyOf(asked);
  restingUntil.set(key, Math.max(restingUntil.get(key) ?? 0, performance.now() + retryAfterMs));
}

/**
 * Waits while a server rests; those who wait do not all come back at the same moment.
 *
 * @throws the signal's reason, at once when it aborts
 */
export async function untilRested(asked: Asked, signal: AbortSignal | undefined): Promise<void> {
  const key = keyOf(asked);
  for (;;) {
    const ms = (restingUntil.get(key) ?? 0) - performance.now();
    if (ms <= 0) {
      restingUntil.delete(key);
      return;
    }
    await pause(ms + (Math.random() * Math.min(ms, 1000)) / 2, signal);
  }
}
