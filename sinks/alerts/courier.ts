import type { Database } from "../../database/database.ts";
import { isTransient } from "../../database/transient.ts";
import type { Backoff } from "../../errors/retry.ts";
import type { QueueItem } from "../../log/queue/queue-leases.ts";
import {
  type NotDone,
  type QueueWorker,
  type Outcome as TryOutcome,
  workQueue,
} from "../../log/queue/work-queue.ts";
import type { GuardedLogger } from "../../logging/guard-logger.ts";
import { defaultLogger } from "../../logging/process-warnings.ts";
import { ALERT_QUEUE, type KeptAlert } from "./delivery-store.ts";
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

const BACKOFF: Backoff = { firstMs: 1000, longestMs: 3_600_000 };
/** For how long what was delivered is listed. */
const KEEP_DAYS = 30;
const OUTCOMES = { done: "delivered", retried: "retried", failed: "failed" } as const;

function headersOf({ secret }: Destination, id: string, body: string): Record<string, string> {
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

/**
 * Delivers what is due for one destination, one delivery after the other. A destination that does not take what it is
 * sent is its own trouble: it has a courier to itself.
 */
export function startCourier(
  db: Database,
  destination: Destination,
  events: CourierEvents = {},
): QueueWorker {
  const { name, url, allowPrivate, maxAttempts, timeoutSeconds } = destination;
  const says = (events.logger ?? defaultLogger).of("alerts");

  function report(outcome: TryOutcome, tries: number, error: string | undefined): void {
    const tried = { destination: name, tries };
    if (outcome === "done")
      says.debug({ code: "ATLAS_ALERT_DELIVERED", destination: name }, "an alert was delivered");
    else if (outcome === "failed")
      says.error({ code: "ATLAS_ALERT_FAILED", ...tried }, `an alert was given up: ${error}`);
    else says.warn({ code: "ATLAS_ALERT_RETRIED", ...tried }, `an alert is sent again later: ${error}`);
  }

  async function deliver(
    { id, payload: { body } }: QueueItem<KeptAlert>,
    signal: AbortSignal,
  ): Promise<NotDone | undefined> {
    try {
      const headers = headersOf(destination, id, body);
      const timeoutMs = timeoutSeconds * 1000;
      const answer = await post({ url, allowPrivate, headers, body, timeoutMs, signal });
      const error = problemOf(answer);
      return error === undefined ? undefined : { error, afterMs: answer.retryAfterMs };
    } catch (failure) {
      const late = failure instanceof Error && ["AbortError", "TimeoutError"].includes(failure.name);
      if (late) return { error: `no answer within ${timeoutSeconds} s` };
      throw failure;
    }
  }

  return workQueue<KeptAlert>(db, ALERT_QUEUE, deliver, {
    lane: name,
    maxTries: maxAttempts,
    backoff: BACKOFF,
    keepDays: KEEP_DAYS,
    onTry: ({ tries }, outcome, error) => {
      report(outcome, tries, error);
      events.onDelivery?.(name, OUTCOMES[outcome], error);
    },
    onTrouble: (error) => {
      // What is due stays due. That the database does not answer is what the consumers say.
      if (isTransient(error)) return;
      says.warn({ code: "ATLAS_ALERTS_WAIT", destination: name, err: error }, "alerts wait");
    },
  });
}
