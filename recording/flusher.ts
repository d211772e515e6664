import { AtlasError, isAtlasError } from "../errors/atlas-error.ts";
import type { EventLog } from "../log/event-log.ts";
import { MAX_BATCH_BYTES, MAX_BATCH_EVENTS } from "../log/outgoing.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import { defaultLogger } from "../logging/process-warnings.ts";
import type { Masked, Masking } from "../schemas/masked.ts";
import { appendSound } from "./append-sound.ts";
import type { Ledger } from "./ledger.ts";
import { LedgerQueue } from "./ledger-queue.ts";
import { Outage } from "./outage.ts";
import { Spool } from "./spool/spool.ts";

/** How much may wait, and how long the log may fail to answer. */
export interface FlusherLimits {
  /** Events that may wait before a session has to; 10,000 unless told. */
  maxEvents?: number;
  /** Bytes, about, that may wait before a session has to; 64 MiB unless told. */
  maxBytes?: number;
  /**
   * Milliseconds for which the log may stay away before `durable` no longer waits for it, and what is in memory only
   * is given up; 30,000 unless told. Each append that the log takes begins them anew. One that has to wait while the log
   * answers others is waited for ten times as long.
   */
  retryMs?: number;
  /** Milliseconds after which an append without an answer counts as none; 5,000 unless told. */
  answerMs?: number;
}

/** What happens to events on their way, besides being appended. */
export interface FlusherOptions extends FlusherLimits {
  /** Keeps events on the disk while the log does not answer; without one they wait in memory. */
  spool?: { folder: string; logId: string } | undefined;
  /** Told when the log goes away and comes back. */
  logger?: GuardedLogger | undefined;
}

/** Takes events from any number of recorders to one log, in the order in which they came. */
export interface Flusher {
  /** The log's: recorders apply it before an event is shown, judged, cut, spooled or appended. */
  readonly mask: Masking;
  /** Events that wait on the disk. */
  readonly spooled: number;
  /** Queues an event of the session that the ledger stands for; does no I/O. */
  enqueue(event: Masked, bytes: number, ledger: Ledger): void;
  /** Resolves when there is room in the queue, or when the signal aborts. Never rejects. */
  ready(signal?: AbortSignal): Promise<void>;
  /** Stops; what waits in the spool stays there for the next process. */
  close(): Promise<void>;
}

interface Queued {
  event: Masked;
  bytes: number;
  ledger: Ledger;
}

/**
 * Opens the one way from recorders to a log. It keeps one append outstanding, so a batch that got no answer is
 * appended again before anything else is: events of a session arrive in order, and readers drop the repeated ones.
 * While the log does not answer, everything unacknowledged is put on the disk, and what comes later behind it.
 *
 * @example
 * const flusher = createFlusher(log, { spool: { folder: ".atlas/spool", logId: log.id } });
 * const recorder = createRecorder({ flusher, sessionId: newId() });
 */
export function createFlusher(
  log: Pick<EventLog, "append" | "mask" | "heardAt">,
  options: FlusherOptions = {},
): Flusher {
  const { maxEvents = 10_000, maxBytes = 64 * 1024 * 1024, logger = defaultLogger } = options;
  const says = logger.of("recorder");
  const spool = options.spool && new Spool(options.spool);
  const outage = new Outage(options, log.heardAt);
  /** In memory, from `head` on, and behind everything that is on the disk. */
  let queue: Queued[] = [];
  let head = 0;
  /** The sessions of what is on the disk, in its order. */
  const onDisk = new LedgerQueue();
  let waitingEvents = 0;
  let waitingBytes = 0;
  let running: Promise<void> | undefined;
  let closed = false;
  const roomWaiters = new Set<() => void>();

  const hasRoom = (): boolean => waitingEvents < maxEvents && waitingBytes < maxBytes;

  /** The next of the queue, without taking it. */
  function nextBatch(): Queued[] {
    let bytes = 0;
    let end = head;
    while (end < queue.length && end - head < MAX_BATCH_EVENTS) {
      bytes += queue[end]!.bytes;
      if (end > head && bytes > MAX_BATCH_BYTES) break;
      end += 1;
    }
    return queue.slice(head, end);
  }

  /** Takes the first of the queue out of it, and makes room. */
  function leaveMemory(count: number): void {
    for (const { bytes } of queue.slice(head, head + count)) {
      waitingEvents -= 1;
      waitingBytes -= bytes;
    }
    head += count;
    // Now and then rather than each time: a queue that never runs dry must not keep what was appended.
    if (head * 2 > queue.length) {
      queue = queue.slice(head);
      head = 0;
    }
    if (!hasRoom()) return;
    for (const wake of [...roomWaiters]) wake();
  }

  function settle(ledgers: readonly Ledger[], failureOf: (index: number) => unknown): void {
    ledgers.forEach((ledger, index) => {
      const failure = failureOf(index);
      if (failure === undefined) ledger.appended += 1;
      else ledger.lose(failure);
    });
    for (const ledger of new Set(ledgers)) ledger.notify();
  }

  const ledgersOf = (batch: readonly Queued[]): Ledger[] => batch.map(({ ledger }) => ledger);

  /** Gives up what is in memory. */
  function loseMemory(error: unknown): void {
    const rest = queue.slice(head);
    leaveMemory(rest.length);
    settle(ledgersOf(rest), () => error);
  }

  /** Puts what is in memory on the disk; false where that cannot be done. */
  async function spoolMemory(): Promise<boolean> {
    if (spool === undefined) return false;
    while (head < queue.length) {
      const batch = nextBatch();
      try {
        const refused = await spool.add(batch.map(({ event }) => event));
        leaveMemory(batch.length);
        const kept = batch.filter(({ event }) => !refused.has(event));
        for (const { ledger } of kept) ledger.spooled += 1;
        for (const ledger of ledgersOf(kept)) onDisk.push(ledger);
        const faulty = batch.filter(({ event }) => refused.has(event));
        settle(ledgersOf(faulty), (index) => refused.get(faulty[index]!.event));
        outage.spoolError = undefined;
      } catch (error) {
        outage.spoolError = error;
        return false;
      }
    }
    return true;
  }

  function away(error: unknown, isPending = false): void {
    if (outage.reason === undefined)
      says.info({ code: "ATLAS_LOG_AWAY", err: error }, "the log does not take events, which wait");
    outage.begin(error, { isPending });
  }

  function back(): void {
    if (outage.reason === undefined) return;
    says.info({ code: "ATLAS_LOG_BACK" }, "the log takes events again");
    outage.end();
    for (const ledger of onDisk.distinct()) ledger.hope();
  }

  /** Secures what waits while the log is away, and lets go of who has waited long enough. */
  async function spoolWaiting(): Promise<void> {
    await spoolMemory();
    const isLong = outage.isLong();
    if (isLong && head < queue.length) loseMemory(outage.lossReason());
    if (head < queue.length) return;
    for (const ledger of onDisk.distinct())
      if (isLong || ledger.cancelled) ledger.giveUpWaiting(spool!.path, outage.reason);
  }

  /** What the work comes to; while that takes too long, what waits is secured. */
  async function answered<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const heard = (): void => {
      settled = true;
      outage.wake();
    };
    const done = work.then(heard, heard);
    await outage.forAnswer(done, () => closed);
    while (!settled && !closed) {
      away(new AtlasError("ATLAS_LOG_UNREACHABLE", "the log does not answer", { retryable: true }), true);
      await spoolWaiting();
      await outage.pause();
    }
    if (!settled) throw new AtlasError("ATLAS_LOG_CLOSED", "the flusher was closed");
    return work;
  }

  async function appendFromDisk(): Promise<void> {
    const events = await spool!.next();
    if (events.length === 0) {
      const gone = new AtlasError("ATLAS_SPOOL_FAILED", "the spool cannot be read", { where: spool!.path });
      forgetDisk(onDisk.length, () => gone);
      return;
    }
    const refused = await answered(appendSound(log, events));
    spool!.take();
    forgetDisk(events.length, (index) => refused.get(events[index]!));
  }

  function forgetDisk(count: number, failureOf: (index: number) => unknown): void {
    const ledgers = onDisk.take(count);
    for (const ledger of ledgers) ledger.spooled -= 1;
    settle(ledgers, failureOf);
  }

  async function appendFromMemory(): Promise<void> {
    const batch = nextBatch();
    const before = onDisk.length;
    const refused = await answered(
      appendSound(
        log,
        batch.map(({ event }) => event),
      ),
    );
    // While there was no answer they went to the disk, or were given up; then they are appended from there.
    if (onDisk.length > before || queue[head] !== batch[0]) return;
    leaveMemory(batch.length);
    settle(ledgersOf(batch), (index) => refused.get(batch[index]!.event));
  }

  async function run(): Promise<void> {
    // Whatever is emitted in the same turn shares the batch.
    await new Promise(setImmediate);
    while (!closed && (head < queue.length || onDisk.length > 0)) {
      try {
        if (onDisk.length > 0) await appendFromDisk();
        else await appendFromMemory();
        back();
        // Where the file cannot be taken away, the next process appends it again, which readers do not notice.
        if (onDisk.length === 0) await spool?.close().catch(() => undefined);
      } catch (error) {
        if (closed) break;
        away(error);
        await spoolWaiting();
        if (head < queue.length || onDisk.length > 0) await outage.backOff(spoolWaiting, () => closed);
      }
    }
    running = undefined;
  }

  return {
    mask: log.mask,
    get spooled() {
      return onDisk.length;
    },
    enqueue(event, bytes, ledger) {
      queue.push({ event, bytes, ledger });
      ledger.queued += 1;
      waitingEvents += 1;
      waitingBytes += bytes;
      outage.wake();
      if (!closed) running ??= run();
    },
    async ready(signal) {
      while (!hasRoom() && signal?.aborted !== true) {
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            signal?.removeEventListener("abort", wake);
            roomWaiters.delete(wake);
            resolve();
          };
          signal?.addEventListener("abort", wake);
          roomWaiters.add(wake);
        });
      }
    },
    async close() {
      closed = true;
      outage.wake();
      await running;
      const reason = new AtlasError("ATLAS_LOG_CLOSED", "the log was closed before it took them");
      await spoolMemory();
      loseMemory(isAtlasError(outage.spoolError) ? outage.spoolError : reason);
      for (const ledger of onDisk.distinct()) ledger.giveUpWaiting(spool!.path, outage.reason ?? reason);
      await spool?.close().catch((error: unknown) => {
        says.warn({ code: "ATLAS_SPOOL_FAILED", err: error }, "the spool could not be closed");
      });
    },
  };
}
