import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../database/database.ts";
import { isTransient } from "../../database/transient.ts";
import { explain, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import { looked } from "../../log/looked.ts";
import type { GuardedLogger } from "../../logging/guard-logger.ts";
import { defaultLogger } from "../../logging/process-warnings.ts";
import { pauseAfter, retryAfterMs } from "./backoff.ts";
import { closeDelivered, type DueDelivery, forgetDelivered, noteFailure, takeDue } from "./delivery-store.ts";
import type { Destination } from "./destination.ts";
import { type Answer, post } from "./post.ts";
import { signatureOf } from "./sign.ts";

/** What came of one attempt at a delivery. */
export type Outcome = "delivered" | "retried" | "failed";

/** What a courier tells while it works. */
export interface CourierEvents {
  /** Called after each attempt, with what went wrong where something did. */
  onDelivery?: ((destination: string, outcome: Outcome, error?: string) => void) | undefined;
  logger?: GuardedLogger | undefined;
}

/** Delivers what is due for one destination, one delivery after the other. */
export interface Courier {
  /** Delivers what is due now, for at most this long, and ends. */
  stop(graceMs: number): Promise<void>;
}

const LOOK_MS = 500;
const TROUBLED_MS = 2000;
const FORGET_MS = 3_600_000;
/** Beyond an attempt's own time, for what the database takes. */
const LEASE_MORE_MS = 5000;

function headersOf({ secret }: Destination, { id, body }: DueDelivery): Record<string, string> {
  const headers = {
    "content-type": "application/json; charset=utf-8",
    "user-agent": "atlas-sdk",
    "idempotency-key": id,
  };
  if (secret === undefined) return headers;
  const timestamp = Math.floor(Date.now() / 1000);
  return {
    ...headers,
    "atlas-timestamp": String(timestamp),
    "atlas-signature": signatureOf(secret, timestamp, body),
  };
}

/** What is wrong with an answer, if anything. The receiver's own words are not taken over. */
function problemOf({ status }: Answer): string | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status >= 300 && status < 400) return `it answered ${status}; redirects are not followed`;
  return `it answered ${status}`;
}

/** A destination that does not take what it is sent is its own trouble: it has a courier to itself. */
export function startCourier(db: Database, destination: Destination, events: CourierEvents = {}): Courier {
  const { name, url, allowPrivate, maxAttempts } = destination;
  const says = (events.logger ?? defaultLogger).of("alerts");
  const timeoutMs = destination.timeoutSeconds * 1000;
  const stopping = new AbortController();
  const cutOff = new AbortController();
  let forgetAt = 0;

  async function attempt(due: DueDelivery): Promise<{ error?: string; askedMs: number }> {
    const { body } = due;
    try {
      const headers = headersOf(destination, due);
      const answer = await post({ url, allowPrivate, headers, body, timeoutMs, signal: cutOff.signal });
      const error = problemOf(answer);
      return {
        ...(error !== undefined && { error }),
        askedMs: retryAfterMs(answer.retryAfter, Date.now()),
      };
    } catch (failure) {
      const late = failure instanceof Error && ["AbortError", "TimeoutError"].includes(failure.name);
      const error = late
        ? `no answer within ${destination.timeoutSeconds} s`
        : isAtlasError(failure)
          ? explain(failure)
          : messageOf(failure);
      return { error, askedMs: 0 };
    }
  }

  /** Says whether there was one. */
  async function deliverNext(): Promise<boolean> {
    const due = await takeDue(db, name, timeoutMs + LEASE_MORE_MS);
    if (due === undefined) return false;
    const { error, askedMs } = await attempt(due);
    if (error === undefined) {
      await closeDelivered(db, due.id);
      says.debug({ code: "ATLAS_ALERT_DELIVERED", destination: name }, "an alert was delivered");
      events.onDelivery?.(name, "delivered");
      return true;
    }
    // Who was cut off was not refused: the lease runs out, and somebody tries again.
    if (cutOff.signal.aborted) return false;
    const last = due.attempts >= maxAttempts;
    const pauseMs = last ? undefined : pauseAfter(due.attempts, askedMs, Math.random());
    await noteFailure(db, due, error, pauseMs);
    const tried = { destination: name, tries: due.attempts };
    if (last) says.error({ code: "ATLAS_ALERT_FAILED", ...tried }, `an alert was given up: ${error}`);
    else says.warn({ code: "ATLAS_ALERT_RETRIED", ...tried }, `an alert is sent again later: ${error}`);
    events.onDelivery?.(name, last ? "failed" : "retried", error);
    return true;
  }

  async function work(): Promise<void> {
    while (!cutOff.signal.aborted) {
      let pause = LOOK_MS;
      try {
        if (await deliverNext()) continue;
        looked(`alerts/${name}`);
        if (stopping.signal.aborted) return;
        if (performance.now() > forgetAt) {
          forgetAt = performance.now() + FORGET_MS;
          await forgetDelivered(db);
        }
      } catch (error) {
        // What is due stays due. That the database does not answer is what the consumers say.
        if (!isTransient(error))
          says.warn({ code: "ATLAS_ALERTS_WAIT", destination: name, err: error }, "alerts wait");
        if (stopping.signal.aborted) return;
        pause = TROUBLED_MS;
      }
      await sleep(pause, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  }

  const done = work();
  return {
    async stop(graceMs) {
      stopping.abort();
      const timer = setTimeout(() => cutOff.abort(), graceMs);
      await done;
      clearTimeout(timer);
    },
  };
}
