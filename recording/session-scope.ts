import { AtlasError, isAtlasError } from "../errors/atlas-error.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import type { Prices } from "../models/prices.ts";
import type { Micros, Uuid } from "../schemas/generated/events.ts";
import type { Recorder } from "./recorder.ts";
import type { TokenCount } from "./tokens.ts";

/** What everything that works on one session shares. Sessions share nothing with each other. */
export interface SessionScope {
  readonly recorder: Recorder;
  readonly tokens: TokenCount;
  /** Aborts when the run is cancelled or the session's deadline passes. */
  readonly signal: AbortSignal;
  /** Warnings go to the process unless told. */
  readonly logger?: GuardedLogger | undefined;
  /** What models cost, where that is known. */
  readonly prices?: Prices | undefined;
  /** Most milliseconds of one model call with all its tries; 5 minutes unless told. */
  readonly modelTimeoutMs?: number | undefined;
  /** Calls that are tried again, and why they have no answer yet; those of judges are not among them. */
  readonly unanswered: Map<Uuid, AtlasError>;
  /** The place of the next message in the session's conversation, from 0. */
  nextMessage(): number;
}

/** How a session or step ends that was interrupted. */
export interface Interruption {
  status: "cancelled" | "failed";
  error: AtlasError;
}

/**
 * How a session or step ends whose signal aborted: a passed deadline is a failure, all else is somebody's wish. A
 * deadline that passed while an outage was waited out is that outage.
 */
export function interruptionOf({ signal, unanswered }: SessionScope): Interruption {
  const error = signal.reason as AtlasError;
  if (!isAtlasError(error, "ATLAS_DEADLINE_PASSED")) return { status: "cancelled", error };
  const [outage] = unanswered.values();
  if (outage === undefined) return { status: "failed", error };
  const { code, where, hint } = outage;
  const details = {
    cause: error,
    ...(where !== undefined && { where }),
    ...(hint !== undefined && { hint }),
  };
  return { status: "failed", error: new AtlasError(code, `${outage.message}; ${error.message}`, details) };
}

/** A signal of our own, whose reason is always an {@link AtlasError}; disposing it lets go of timer and listener. */
export interface SessionSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Opens the signal that ends a session: when the caller cancels, or after so many milliseconds.
 *
 * @example
 * using ending = sessionSignal(options.signal, 60_000);
 */
export function sessionSignal(cancel: AbortSignal | undefined, deadlineMs?: number): SessionSignal {
  const controller = new AbortController();
  const cancelled = (): void =>
    controller.abort(new AtlasError("ATLAS_CANCELLED", "the run was cancelled", { cause: cancel?.reason }));
  const late = (): void =>
    controller.abort(
      new AtlasError("ATLAS_DEADLINE_PASSED", `the session took longer than ${deadlineMs} ms`, {
        hint: "Give it a longer deadline, or a smaller task.",
      }),
    );
  const timer = deadlineMs === undefined ? undefined : setTimeout(late, deadlineMs);
  if (cancel?.aborted) cancelled();
  else cancel?.addEventListener("abort", cancelled, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      cancel?.removeEventListener("abort", cancelled);
    },
  };
}

/**
 * Opens a signal that aborts with another one, or after so many milliseconds.
 *
 * @param late what the signal's reason is then
 * @example
 * using ending = limitedSignal(scope.signal, 30_000, () => tooLate);
 */
export function limitedSignal(outer: AbortSignal, limitMs: number, late: () => AtlasError): SessionSignal {
  if (limitMs >= 2 ** 31) return { signal: outer, [Symbol.dispose]() {} };
  const controller = new AbortController();
  const ended = (): void => controller.abort(outer.reason);
  const timer = setTimeout(() => controller.abort(late()), limitMs);
  if (outer.aborted) ended();
  else outer.addEventListener("abort", ended, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      outer.removeEventListener("abort", ended);
    },
  };
}

/**
 * Opens the signal that ends a step: with its session, or after so many milliseconds.
 *
 * @example
 * using ending = stepSignal(scope.signal, step.id, 30_000);
 */
export const stepSignal = (
  session: AbortSignal,
  stepId: number,
  timeoutMs: number = Number.POSITIVE_INFINITY,
): SessionSignal =>
  limitedSignal(
    session,
    timeoutMs,
    () =>
      new AtlasError("ATLAS_DEADLINE_PASSED", `step ${stepId} took longer than ${timeoutMs} ms`, {
        hint: "Give steps a longer timeout, or plan smaller ones.",
      }),
  );

/**
 * What a promise comes to, unless the signal aborts first: then its reason, at once, whatever the promise does.
 *
 * @throws the signal's reason
 */
export async function unlessAborted<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([aborted, (async () => work())()]);
  } finally {
    signal.removeEventListener("abort", stop!);
  }
}

/** Measures how long something takes, in microseconds. */
export function stopwatch(): () => Micros {
  const from = performance.now();
  return () => Math.round((performance.now() - from) * 1000);
}
