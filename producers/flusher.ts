import { setTimeout as sleep } from "node:timers/promises";
import { isAtlasError } from "../errors/atlas-error.ts";
import type { EventLog } from "../log/event-log.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import type { Ledger } from "./ledger.ts";

/** How much may wait, and how long the log may fail to answer. */
export interface FlusherLimits {
  /** Events that may wait before a session has to; 10,000 unless told. */
  maxEvents?: number;
  /** Bytes, about, that may wait before a session has to; 64 MiB unless told. */
  maxBytes?: number;
  /** Milliseconds during which an append is tried again before its events are given up; 30,000 unless told. */
  retryMs?: number;
}

/** Takes events from any number of recorders to one log, in the order in which they came. */
export interface Flusher {
  /** Queues an event of the session that the ledger stands for; does no I/O. */
  enqueue(event: AtlasEvent, bytes: number, ledger: Ledger): void;
  /** Resolves when there is room in the queue, or when the signal aborts. Never rejects. */
  ready(signal?: AbortSignal): Promise<void>;
}

interface Queued {
  event: AtlasEvent;
  bytes: number;
  ledger: Ledger;
}

const BATCH_EVENTS = 500;
const BATCH_BYTES = 512 * 1024;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** Failures that lie in one event: its neighbours can still be appended. */
const FAULTS_OF_AN_EVENT = ["ATLAS_EVENT_INVALID", "ATLAS_EVENT_TOO_LARGE", "ATLAS_MASK_FAILED"] as const;

const unreachable = (error: unknown): boolean => isAtlasError(error) && error.retryable;

/**
 * Opens the one way from recorders to a log. It keeps one append outstanding, so a batch that got no answer is
 * appended again before anything else is: events of a session arrive in order, and readers drop the repeated ones.
 *
 * @example
 * const flusher = createFlusher(log);
 * const recorder = createRecorder({ flusher, sessionId: newId() });
 */
export function createFlusher(log: Pick<EventLog, "append">, limits: FlusherLimits = {}): Flusher {
  const { maxEvents = 10_000, maxBytes = 64 * 1024 * 1024, retryMs = 30_000 } = limits;
  let queue: Queued[] = [];
  let head = 0;
  let waitingEvents = 0;
  let waitingBytes = 0;
  let running = false;
  let roomWaiters: (() => void)[] = [];

  const hasRoom = (): boolean => waitingEvents < maxEvents && waitingBytes < maxBytes;

  function takeBatch(): Queued[] {
    let bytes = 0;
    let end = head;
    while (end < queue.length && end - head < BATCH_EVENTS) {
      bytes += queue[end]!.bytes;
      if (end > head && bytes > BATCH_BYTES) break;
      end += 1;
    }
    const batch = queue.slice(head, end);
    head = end;
    // Now and then rather than each time: a queue that never runs dry must not keep what was appended.
    if (head * 2 > queue.length) {
      queue = queue.slice(head);
      head = 0;
    }
    return batch;
  }

  function takeRest(): Queued[] {
    const rest = queue.slice(head);
    queue = [];
    head = 0;
    return rest;
  }

  function settle(batch: readonly Queued[], error?: unknown): void {
    for (const { bytes, ledger } of batch) {
      waitingEvents -= 1;
      waitingBytes -= bytes;
      if (error === undefined) ledger.appended += 1;
      else ledger.lose(error);
    }
    for (const ledger of new Set(batch.map((queued) => queued.ledger))) ledger.notify();
    if (!hasRoom()) return;
    const waiters = roomWaiters;
    roomWaiters = [];
    for (const wake of waiters) wake();
  }

  async function tryToAppend(batch: readonly Queued[]): Promise<void> {
    const giveUpAt = performance.now() + retryMs;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        return await log.append(batch.map(({ event }) => event));
      } catch (error) {
        if (!unreachable(error) || performance.now() + pause > giveUpAt) throw error;
        await sleep(pause * (0.5 + Math.random() / 2));
      }
    }
  }

  async function append(batch: readonly Queued[]): Promise<void> {
    try {
      await tryToAppend(batch);
      settle(batch);
    } catch (error) {
      const ofOneEvent = FAULTS_OF_AN_EVENT.some((code) => isAtlasError(error, code));
      if (ofOneEvent && batch.length > 1) {
        const middle = batch.length >> 1;
        await append(batch.slice(0, middle));
        await append(batch.slice(middle));
        return;
      }
      settle(batch, error);
      // What waits behind a log that is gone would only be given up one batch and one time limit after the other.
      if (!ofOneEvent) settle(takeRest(), error);
    }
  }

  async function run(): Promise<void> {
    // Whatever is emitted in the same turn shares the batch.
    await new Promise(setImmediate);
    while (head < queue.length) await append(takeBatch());
    running = false;
  }

  return {
    enqueue(event, bytes, ledger) {
      queue.push({ event, bytes, ledger });
      ledger.queued += 1;
      waitingEvents += 1;
      waitingBytes += bytes;
      if (running) return;
      running = true;
      void run();
    },
    async ready(signal) {
      while (!hasRoom() && signal?.aborted !== true) {
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            signal?.removeEventListener("abort", wake);
            resolve();
          };
          signal?.addEventListener("abort", wake);
          roomWaiters.push(wake);
        });
      }
    },
  };
}
