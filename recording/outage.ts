import { AtlasError, isAtlasError, messageOf } from "../errors/atlas-error.ts";
import { type Backoff, backoffMs } from "../errors/retry.ts";

const BACKOFF: Backoff = { firstMs: 100, longestMs: 3000 };
/** How often one looks, while an append has no answer, whether that has gone on for long. */
const LOOK_MS = 200;

/** So many times as long as for a log that is silent one waits for an answer of one that answers others. */
const MOST_PATIENCE = 10;

/** The time during which the log does not answer: how long it has been, and when to try again. */
export class Outage {
  readonly #retryMs: number;
  readonly #answerMs: number;
  #since: number | undefined;
  #failures = 0;
  #hopeless = false;
  /** Asked while an append has no answer. */
  readonly #heardAt: () => number | undefined;
  #isPending = false;
  #wake: (() => void) | undefined;
  /** What the log said last; undefined while it answers. */
  reason: unknown;
  /** What keeps the spool from being written, while it is so. */
  spoolError: unknown;

  /** @param heardAt when the log last answered anything: an append may have to wait for its turn at one that is slow */
  constructor(
    { retryMs = 30_000, answerMs = 5_000 }: { retryMs?: number; answerMs?: number },
    heardAt: () => number | undefined = () => undefined,
  ) {
    this.#heardAt = heardAt;
    this.#retryMs = retryMs;
    this.#answerMs = answerMs;
  }

  /** Takes note that the log did not take what it was given, or has not answered yet. */
  begin(reason: unknown, { isPending = false }: { isPending?: boolean } = {}): void {
    this.#since ??= performance.now();
    this.#isPending = isPending;
    this.reason = reason;
    this.#hopeless = !(isAtlasError(reason) && reason.retryable);
  }

  /** Takes note that it did. */
  end(): void {
    this.#since = undefined;
    this.#failures = 0;
    this.#hopeless = false;
    this.reason = undefined;
  }

  /** Whether nobody should wait for the log any longer. */
  isLong(): boolean {
    if (this.#since === undefined) return false;
    const now = performance.now();
    if (this.#hopeless || now - this.#since >= MOST_PATIENCE * this.#retryMs) return true;
    const heard = this.#isPending ? (this.#heardAt() ?? 0) : 0;
    return now - Math.max(this.#since, heard) >= this.#retryMs;
  }

  /** Why what is in memory only is given up. */
  lossReason(): unknown {
    if (this.spoolError === undefined) return this.reason;
    return new AtlasError(
      "ATLAS_SPOOL_FAILED",
      `${messageOf(this.reason)}, and ${messageOf(this.spoolError)}`,
      { cause: this.spoolError },
    );
  }

  /** Something was queued, or answered: it should not wait until the pause is over. */
  wake(): void {
    this.#wake?.();
  }

  /**
   * Waits for an answer as long as one may reasonably take. Time in which this process was too busy to hear it does
   * not count.
   */
  async forAnswer(done: Promise<void>, isOver: () => boolean): Promise<void> {
    let answered = false;
    const heard = done.then(() => {
      answered = true;
    });
    for (let left = this.#answerMs; left > 0 && !answered && !isOver(); left -= LOOK_MS)
      await within(Math.min(left, LOOK_MS), heard);
  }

  /** Waits a little, or until it is woken. */
  pause(): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    return within(LOOK_MS, woken, { ref: !this.isLong() });
  }

  /**
   * Waits before the next try, and secures what is queued meanwhile. Once nobody should wait for the log any longer, the
   * process may end.
   */
  async backOff(secure: () => Promise<unknown>, isOver: () => boolean): Promise<void> {
    this.#failures += 1;
    const until = performance.now() + backoffMs(BACKOFF, this.#failures);
    for (let left = until - performance.now(); left > 0 && !isOver(); left = until - performance.now()) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      await within(left, woken, { ref: !this.isLong() });
      await secure();
    }
  }
}

/**
 * Resolves with this, or after so many milliseconds; leaves no timer behind. What is waited for again and again must be
 * a new promise each time: one that stays pending would keep a trace of every wait.
 */
async function within(ms: number, other: Promise<void>, { ref = true } = {}): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
    if (!ref) timer.unref();
  });
  await Promise.race([late, other]).finally(() => clearTimeout(timer));
}
