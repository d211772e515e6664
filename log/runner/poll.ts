import { type Backoff, backoffMs } from "../../errors/retry.ts";
import { looked } from "../looked.ts";
import { Wake } from "../postgres/wake.ts";
import { Loop } from "./loops.ts";

/** How a loop looks for work. */
export interface PollOptions {
  /** Names the loop to who counts its looks. */
  name: string;
  /** Milliseconds between looks. */
  everyMs: number;
  /** Ends the loop after the look under way. */
  signal: AbortSignal;
  /** Called with what a look threw. */
  onError(error: unknown): void;
  /** Ends a pause before its time. */
  wake?: Wake | undefined;
  /** How long one look may take before the loop counts as stuck. */
  longestMs?: number | undefined;
  /** Wait before the first look, too. */
  later?: boolean | undefined;
}

/** Looks that fail are further and further apart. */
const TROUBLE: Backoff = { firstMs: 1000, longestMs: 10_000 };

/** Looks for work again and again, one look at a time, until the signal aborts. Its pauses keep no process alive. */
export async function poll(look: () => Promise<void>, options: PollOptions): Promise<void> {
  const { name, everyMs, signal, onError, wake = new Wake(), later = false } = options;
  const loop = new Loop(name, options.longestMs);
  const end = (): void => wake.notify();
  signal.addEventListener("abort", end, { once: true });
  let failures = 0;
  const pause = async (seen: number, ms: number): Promise<void> => {
    loop.tried(ms);
    if (!signal.aborted) await wake.after(seen, ms);
    loop.tried();
  };
  if (later) await pause(wake.count, everyMs);
  while (!signal.aborted) {
    const seen = wake.count;
    try {
      await look();
      failures = 0;
      looked(name);
    } catch (error) {
      failures += 1;
      onError(error);
    }
    const more = failures === 0 ? 0 : backoffMs(TROUBLE, failures);
    await pause(seen, everyMs + more);
  }
  loop.end();
  signal.removeEventListener("abort", end);
}
