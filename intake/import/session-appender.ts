import type { EventLog } from "../../log/event-log.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import { type Masked, withLogged } from "../../schemas/masked.ts";
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
  /** Sessions that the log holds under an earlier translation of their format; they were left as they are. */
  otherTranslations: number;
  /** Sessions that came in beside an earlier translation of the same recording, which is still there. */
  superseding: number;
}

/** A session that is to be appended. */
export interface WholeSession {
  /** All its events, in their order. */
  events: readonly Masked[];
  /** How large they are, in characters. */
  length: number;
  /** Appended before the events, and only where one of those is new. */
  decisions?: readonly Masked[] | undefined;
  /** Ids that the same session has under earlier translations of its format, the latest first. */
  earlier?: readonly Uuid[] | undefined;
  /** It comes from another log, and is taken over as it was there: it may have been judged by others later. */
  isRestored?: boolean | undefined;
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
  /** Appends sessions anew that the log holds under an earlier translation of their format. */
  again?: boolean | undefined;
  /** Called after every batch. */
  onBatch?: (() => void) | undefined;
  /** Stops between two batches; what was appended stays, and a second import goes on from there. */
  signal?: AbortSignal | undefined;
}

/** A batch is appended when it holds this many events or characters, whichever comes first. */
const BATCH_EVENTS = 2000;
const BATCH_LENGTH = 8 * 1024 * 1024;

/**
 * Appends whole sessions in batches, leaving out what the log holds already. Sessions of one learning key come one
 * after the other, those that the log holds included.
 */
export class SessionAppender {
  readonly counts: AppendedSessions = {
    sessions: 0,
    events: 0,
    skippedSessions: 0,
    skippedEvents: 0,
    otherTranslations: 0,
    superseding: 0,
  };
  readonly #options: AppenderOptions;
  readonly #seen = new Set<Uuid>();
  readonly #order: SessionOrder;
  #batch: WholeSession[] = [];
  #events = 0;
  #length = 0;

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#order = new SessionOrder(options.isRewarded);
  }

  async add(session: WholeSession): Promise<void> {
    const { events, length } = session;
    const sessionId = events[0]!.meta.source;
    if (this.#seen.has(sessionId)) {
      this.counts.skippedSessions += 1;
      this.counts.skippedEvents += events.length;
      return;
    }
    this.#seen.add(sessionId);
    this.#batch.push(session);
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
    const sources = batch.flatMap(({ events, earlier = [] }) => [events[0]!.meta.source, ...earlier]);
    const known = batch.length === 0 ? undefined : await knownSequences?.(sources);
    const news = batch.map((session) => this.#newEvents(session, known));
    // First, so that a session which is there has its decisions: an import that was killed goes on with the sessions.
    const decisions = batch.flatMap((session, index) =>
      news[index]!.length > 0 ? (session.decisions ?? []) : [],
    );
    if (decisions.length > 0) await log.append(decisions);
    await log.append(news.flat());
    for (const added of news) this.counts.events += added.length;
    onBatch?.();
  }

  /** What the log does not hold yet of a session; nothing where it holds another translation of it. */
  #newEvents(
    { events, earlier = [], isRestored = false }: WholeSession,
    known: ReadonlyMap<string, number> | undefined,
  ): Masked[] {
    const { counts } = this;
    const { again = false } = this.#options;
    const held = known?.get(events[0]!.meta.source);
    const other = held === undefined ? earlier.find((id) => known?.has(id)) : undefined;
    if (other !== undefined && !again) {
      this.#order.put(events, other);
      counts.otherTranslations += 1;
      counts.skippedSessions += 1;
      counts.skippedEvents += events.length;
      return [];
    }
    const ordered = isRestored ? [...events] : this.#order.put(events);
    // The one that is superseded is found again when an import that was killed goes on.
    const replaced = earlier.find((id) => known?.has(id));
    if (replaced !== undefined) ordered[0] = withLogged(ordered[0]!, { supersedes: replaced });
    const own = ordered.filter(({ meta }) => meta.source === ordered[0]!.meta.source);
    // What others said of it came behind its own events, with which it was appended: it is there if they are.
    const isNew = own.some(({ meta }) => meta.sequence > (held ?? 0));
    const others = ordered.slice(own.length);
    const fresh = isNew ? [...own.filter(({ meta }) => meta.sequence > (held ?? 0)), ...others] : [];
    counts.skippedEvents += events.length - fresh.length;
    if (fresh.length === 0) counts.skippedSessions += 1;
    else counts.sessions += 1;
    if (fresh.length > 0 && replaced !== undefined) counts.superseding += 1;
    return fresh;
  }
}
