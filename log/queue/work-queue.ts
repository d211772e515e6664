import type { Database } from "../../database/database.ts";
import { isTransient } from "../../database/transient.ts";
import { AtlasError, explain, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import { type Backoff, backoffMs, type RetryOptions, retry } from "../../errors/retry.ts";
import { Wake } from "../postgres/wake.ts";
import { memberName } from "../runner/member.ts";
import { poll } from "../runner/poll.ts";
import { forgetDone } from "./queue-items.ts";
import {
  claim,
  complete,
  giveUp,
  type QueueItem,
  release,
  releaseGone,
  renew,
  retryLater,
} from "./queue-leases.ts";

/** Why an item is not done. */
export interface NotDone {
  error: string;
  /** Milliseconds before which it does not come again, a day at most. */
  afterMs?: number | undefined;
  /** Whether the try counts; true unless told. One that does not count comes again after `afterMs`. */
  counts?: boolean | undefined;
}

/**
 * Does one item: resolves to nothing when it is done, or to why it is not. What it throws is a try that failed.
 *
 * @param held aborts when somebody else has taken the item over, or this process ends: the item is given back then
 */
export type Handle<P> = (item: QueueItem<P>, held: AbortSignal) => Promise<NotDone | undefined>;

/** What came of a try. */
export type Outcome = "done" | "retried" | "failed";

/** How a queue is worked on. */
export interface WorkOptions<P> {
  lane?: string | undefined;
  /** Most items at a time; one unless told. */
  concurrency?: number | undefined;
  /** Milliseconds between looks; 500 unless told. */
  everyMs?: number | undefined;
  /** Milliseconds after which an item is anybody's again whose holder gives no sign of life; 60,000 unless told. */
  leaseMs?: number | undefined;
  /** Tries after which an item is given up; any number unless told. */
  maxTries?: number | undefined;
  /** Between the tries of an item. */
  backoff: Backoff;
  /** Days for which done items are kept; none unless told. */
  keepDays?: number | undefined;
  /** Called after each try that counts and was noted: why it failed, in words, and what was thrown, where it was. */
  onTry?: ((item: QueueItem<P>, outcome: Outcome, error?: string, thrown?: unknown) => void) | undefined;
  /** Called when the queue itself cannot be worked on; that goes on by itself. */
  onTrouble?: ((error: unknown) => void) | undefined;
}

/** Works on a queue. */
export interface QueueWorker {
  /** Does what is due now for at most this long, none unless told; then gives back what it holds, and ends. */
  stop(graceMs?: number): Promise<void>;
}

const EVERY_MS = 500;
const LEASE_MS = 60_000;
const LONGEST_ASKED_MS = 86_400_000;
/** How often to look whether other processes of this host are gone. */
const RELEASE_EVERY_MS = 5000;
const FORGET_EVERY_MS = 3_600_000;
/** What was done must be noted, or it is done again. */
const NOTING: RetryOptions = { firstMs: 100, longestMs: 1000, forMs: 10_000, passes: isTransient };

const wordsOf = (error: unknown): string => (isAtlasError(error) ? explain(error) : messageOf(error));

/** Calls work no more often than this, however often it is called itself. */
function atMostEvery(ms: number, work: () => Promise<void>): () => Promise<void> {
  let next = Number.NEGATIVE_INFINITY;
  return async () => {
    if (performance.now() < next) return;
    next = performance.now() + ms;
    await work();
  };
}

/**
 * Works on a lane of a queue: takes what is due, so many items at a time, and holds each as long as it is worked on.
 * Items come at least once; whoever lost an item to somebody else can no longer change it.
 *
 * @example
 * const worker = workQueue(db, "mails", send, { backoff: { firstMs: 1000, longestMs: 60_000 } });
 * await worker.stop();
 */
export function workQueue<P>(
  db: Database,
  queue: string,
  handle: Handle<P>,
  options: WorkOptions<P>,
): QueueWorker {
  const { lane = "", concurrency = 1, leaseMs = LEASE_MS, everyMs = EVERY_MS, keepDays } = options;
  const { maxTries = Number.POSITIVE_INFINITY, backoff, onTry, onTrouble } = options;
  const taking = { queue, lane, leaseMs, holder: memberName() };
  const stopping = new AbortController();
  const cutOff = new AbortController();
  const wake = new Wake();
  const running = new Set<Promise<void>>();
  const clearUp = [atMostEvery(RELEASE_EVERY_MS, () => releaseGone(db, queue))];
  if (keepDays !== undefined)
    clearUp.push(atMostEvery(FORGET_EVERY_MS, () => forgetDone(db, queue, keepDays)));

  /** Holds an item while it is worked on. */
  async function attempt(item: QueueItem<P>): Promise<{ notDone?: NotDone | undefined; thrown?: unknown }> {
    const losing = new AbortController();
    const held = AbortSignal.any([cutOff.signal, losing.signal]);
    const lost = new AtlasError("ATLAS_CANCELLED", "another process has taken this over");
    const beat = setInterval(() => {
      renew(db, item).then(
        (holds) => holds || losing.abort(lost),
        () => undefined,
      );
    }, leaseMs / 3);
    beat.unref();
    try {
      return { notDone: await handle(item, held) };
    } catch (thrown) {
      return { notDone: { error: wordsOf(thrown) }, thrown };
    } finally {
      clearInterval(beat);
    }
  }

  /** Where that cannot be said, the lease runs out. */
  const giveBack = (item: QueueItem<P>): Promise<unknown> => release(db, item).catch(() => undefined);

  async function work(item: QueueItem<P>): Promise<void> {
    // It may have been on its way when this process was told to end.
    if (cutOff.signal.aborted) return void (await giveBack(item));
    const { notDone, thrown } = await attempt(item);
    if (notDone === undefined) {
      const noted = await retry(() => complete(db, item, { keep: keepDays !== undefined }), NOTING);
      if (noted) onTry?.(item, "done");
      return;
    }
    if (cutOff.signal.aborted) return void (await giveBack(item));
    const { counts = true, afterMs = 0 } = notDone;
    const last = counts && item.tries >= maxTries;
    const own = counts ? backoffMs(backoff, item.tries) : 0;
    const pauseMs = Math.max(own, Math.min(afterMs, LONGEST_ASKED_MS));
    const { error } = notDone;
    const note = (): Promise<boolean> =>
      last ? giveUp(db, item, error) : retryLater(db, item, { error, pauseMs, counts });
    const noted = await retry(note, NOTING);
    if (noted && counts) onTry?.(item, last ? "failed" : "retried", error, thrown);
  }

  /** Takes what there is room for; says whether there was anything. */
  async function take(): Promise<boolean> {
    const room = concurrency - running.size;
    const items = room > 0 ? await claim<P>(db, taking, room) : [];
    for (const item of items) {
      const done = work(item)
        .catch((error: unknown) => onTrouble?.(error))
        .finally(() => {
          running.delete(done);
          wake.notify();
        });
      running.add(done);
    }
    return items.length > 0;
  }

  async function look(): Promise<void> {
    for (const step of clearUp) await step();
    await take();
  }

  const looking = poll(look, {
    name: lane === "" ? queue : `${queue}/${lane}`,
    everyMs,
    signal: stopping.signal,
    wake,
    onError: (error) => onTrouble?.(error),
  });
  return {
    async stop(graceMs = 0) {
      stopping.abort();
      const ending = new AtlasError("ATLAS_CANCELLED", "the process that worked on this ends");
      if (graceMs === 0) cutOff.abort(ending);
      const timer = setTimeout(() => cutOff.abort(ending), graceMs);
      await looking;
      while (!cutOff.signal.aborted) {
        const more = await take().catch(() => false);
        if (!more && running.size === 0) break;
        await Promise.race(running);
      }
      await Promise.all(running);
      clearTimeout(timer);
    },
  };
}
