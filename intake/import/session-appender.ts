import type { EventLog } from "../../log/event-log.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import type { Masked } from "../../schemas/masked.ts";
import { type IsRewarded, SessionOrder } from "./session-order.ts";

/** What came of appending whole sessions. */
export interface AppendedSessions {
  /** Sessions of which something was appended. */
  sessions: number;
  /** Events that were appended. */
  events: number;
  /** Sessions that the log, or an earlier row, held already. */
  skippedSessions: number;
  skippedEvents: number;
}

/** Where sessions go, and what is there already. */
export interface AppenderOptions {
  log: Pick<EventLog, "append">;
  /**
   * The last sequence that the log holds of each of these sources; a source that it lacks is left out. It has to
   * count everything appended before the import began.
   */
  knownSequences?: ((sources: string[]) => Promise<ReadonlyMap<string, number>>) | undefined;
  /** Whether a session is one that others are ordered after; one with a judgement unless told. */
  isRewarded?: IsRewarded | undefined;
  /** Called after every batch. */
  onBatch?: (() => void) | undefined;
  /** Stops between two batches; what was appended stays, and a second import goes on from there. */
  signal?: AbortSignal | undefined;
}

interface Waiting {
  events: Masked[];
  /** Appended before the events, and only where one of those is new. */
  decisions: readonly Masked[];
}

/** A batch is appended when it holds this many events or characters, whichever comes first. */
const BATCH_EVENTS = 2000;
const BATCH_LENGTH = 8 * 1024 * 1024;

/**
 * Appends whole sessions in batches, leaving out what the log holds already. Sessions of one learning key come one
 * after the other, those that the log holds included.
 */
export class SessionAppender {
  readonly counts: AppendedSessions = { sessions: 0, events: 0, skippedSessions: 0, skippedEvents: 0 };
  readonly #options: AppenderOptions;
  readonly #seen = new Set<Uuid>();
  readonly #order: SessionOrder;
  #batch: Waiting[] = [];
  #events = 0;
  #length = 0;

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#order = new SessionOrder(options.isRewarded);
  }

  /**
   * Takes the events of a session, all of them in their order.
   *
   * @param length how large they are, in characters
   */
  async add(events: readonly Masked[], length: number, decisions: readonly Masked[] = []): Promise<void> {
    const sessionId = events[0]!.meta.source;
    if (this.#seen.has(sessionId)) {
      this.counts.skippedSessions += 1;
      this.counts.skippedEvents += events.length;
      return;
    }
    this.#seen.add(sessionId);
    this.#batch.push({ events: this.#order.put(events), decisions });
    this.#events += events.length;
    this.#length += length;
    if (this.#events >= BATCH_EVENTS || this.#length >= BATCH_LENGTH) await this.flush();
  }

  /** Appends what waits. */
  async flush(): Promise<void> {
    const { log, knownSequences, onBatch, signal } = this.#options;
    signal?.throwIfAborted();
    const batch = this.#batch;
    this.#batch = [];
    this.#events = 0;
    this.#length = 0;
    const sources = batch.map(({ events }) => events[0]!.meta.source);
    const known = batch.length === 0 ? undefined : await knownSequences?.(sources);
    const news = batch.map(({ events }) => {
      const after = known?.get(events[0]!.meta.source) ?? 0;
      return events.filter(({ meta }) => meta.sequence > after);
    });
    // First, so that a session which is there has its decisions: an import that was killed goes on with the sessions.
    const decisions = batch.flatMap((session, index) => (news[index]!.length > 0 ? session.decisions : []));
    if (decisions.length > 0) await log.append(decisions);
    await log.append(news.flat());
    batch.forEach(({ events }, index) => {
      const added = news[index]!.length;
      this.counts.events += added;
      this.counts.skippedEvents += events.length - added;
      if (added === 0) this.counts.skippedSessions += 1;
      else this.counts.sessions += 1;
    });
    onBatch?.();
  }
}
