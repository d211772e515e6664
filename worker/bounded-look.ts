import { AtlasError, asAtlasError } from "../errors/atlas-error.ts";
import { closeInTime } from "../errors/close-in-time.ts";

/** What was seen last: a value, or why there is none. */
export type Seen<T> = { value: T } | { error: AtlasError };

/** For how long, in milliseconds. */
export interface LookLimits {
  /** A look is good enough. */
  keepMs?: number;
  /** Who asks waits for one. */
  answerMs?: number;
  /** The last one stands for one that does not end. */
  staleMs?: number;
}

/**
 * A look at something that may not answer, for who has to be answered soon: everybody who asks shares the look that is
 * under way, waits for it for a moment, and is told what was seen last where it takes longer.
 *
 * @example
 * const look = boundedLook(() => log.ends(topics));
 * const seen = await look(); // within a second
 */
export function boundedLook<T>(look: () => Promise<T>, limits: LookLimits = {}): () => Promise<Seen<T>> {
  const { keepMs = 1000, answerMs = 800, staleMs = 5000 } = limits;
  let last: Seen<T> | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;

  const start = (): Promise<void> => {
    const looking = look().then(
      (value) => ({ value }),
      (error: unknown) => ({ error: asAtlasError(error) }),
    );
    return looking.then((seen) => {
      last = seen;
      lastAt = performance.now();
      underWay = undefined;
    });
  };

  return async () => {
    if (last !== undefined && performance.now() - lastAt < keepMs) return last;
    underWay ??= start();
    const inTime = await closeInTime(underWay, answerMs);
    if (last !== undefined && (inTime || performance.now() - lastAt < staleMs || "error" in last))
      return last;
    const message = "the log or its database does not answer";
    return { error: new AtlasError("ATLAS_LOG_UNREACHABLE", message, { retryable: true }) };
  };
}
