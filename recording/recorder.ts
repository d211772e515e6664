import type { EventLog } from "../log/event-log.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import { defaultLogger } from "../logging/process-warnings.ts";
import { createEvent } from "../schemas/codec.ts";
import type { AtlasEvent, Draft, EventType, Meta, Uuid } from "../schemas/generated/events.ts";
import { newId, nowMicros } from "../schemas/identity.ts";
import { checkLearningKey } from "../schemas/learning-key.ts";
import type { Masked } from "../schemas/masked.ts";
import { needsSplitting, splitContent } from "../traces/content.ts";
import { createFlusher, type Flusher, type FlusherLimits } from "./flusher.ts";
import { Ledger } from "./ledger.ts";
import { snapshot } from "./snapshot.ts";

/** Records one session. */
export interface Recorder {
  readonly sessionId: Uuid;
  /** W3C trace id of the session, 32 hex digits. */
  readonly traceId: string;
  /**
   * Records that something happened, now. Does no I/O and keeps nothing of the draft: the caller may change it. The
   * event is masked, numbered and shown to the listener right after the code that runs now.
   *
   * @returns the id of the event
   * @throws AtlasError ATLAS_LEARNING_KEY_INVALID for the start of a session; nothing is recorded then
   */
  emit<T extends EventType>(type: T, draft: Draft<T>): Uuid;
  /** Everything recorded so far, masked, as it goes to the log. Not to be changed. */
  history(): readonly Masked[];
  /** Waits while too much waits for the log. Called before model and tool calls, and nowhere else. */
  ready(signal?: AbortSignal): Promise<void>;
  /**
   * Resolves when everything emitted so far is durable.
   *
   * @throws AtlasError ATLAS_LOG_UNREACHABLE, or the code of whatever kept events from the log, saying how many
   *   were lost
   */
  flush(): Promise<void>;
}

/** What to record, and into what. */
export interface RecorderOptions {
  /** Where the events go: a flusher that several recorders share, or a log for this one alone. */
  flusher?: Flusher;
  log?: Pick<EventLog, "append" | "mask">;
  sessionId: Uuid;
  /** Who says it, where that is not the session itself: sequences count for each source. */
  source?: string;
  /** The session id's own digits unless told. */
  traceId?: string;
  /** Called with each event, masked, as it goes to the log; a copy, so that nothing recorded can be changed. */
  onEvent?: ((event: AtlasEvent) => void) | undefined;
  limits?: FlusherLimits;
  /** Aborts when the session is cancelled: then `flush` does not wait for a log that is away. */
  signal?: AbortSignal | undefined;
  /** Told when the listener throws, and when events are lost. */
  logger?: GuardedLogger | undefined;
}

function listenerOf(
  onEvent: (event: AtlasEvent) => unknown,
  session: Uuid,
  logger: GuardedLogger = defaultLogger,
): (event: AtlasEvent) => void {
  let warned = false;
  const failed = (error: unknown): void => {
    if (warned) return;
    warned = true;
    logger.of("recorder").warn({ code: "ATLAS_LISTENER_FAILED", session, err: error }, "onEvent failed");
  };
  return (event) => {
    try {
      const result = onEvent(snapshot(event).copy);
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  };
}

/** An event that has no number yet. */
interface Draftee {
  event: AtlasEvent;
  size: number;
}

/**
 * Opens the recorder of one session. It stamps what it is given with ids, times that never go back and a contiguous
 * sequence; the flusher takes it to the log. Masking comes before anything else sees an event, and before a long
 * content is cut, so that nothing is hidden by a cut.
 *
 * @example
 * const recorder = createRecorder({ log, sessionId: newId() });
 * recorder.emit("SessionStarted", { task: "Find the bug", learning_key: "code-review", agent: "mine" });
 * await recorder.flush();
 */
export function createRecorder(options: RecorderOptions): Recorder {
  const { sessionId, source = sessionId, traceId = sessionId.replaceAll("-", "") } = options;
  const flusher = options.flusher ?? createFlusher(required(options.log), options.limits);
  const { onEvent, logger } = options;
  const listener = onEvent === undefined ? undefined : listenerOf(onEvent, sessionId, logger);
  const ledger = new Ledger(sessionId, options.signal, logger);
  const history: Masked[] = [];
  let pending: Draftee[] = [];
  let preparing = false;
  let sequence = 0;
  let last = 0;

  const metaAt = (occurred_at: number): Meta => ({
    event_id: newId(),
    session_id: sessionId,
    source,
    sequence: 0,
    occurred_at,
    time_assumed: false,
    trace_id: traceId,
  });

  function queue(event: Masked, size: number): void {
    history.push(event);
    flusher.enqueue(event, size, ledger);
    listener?.(event);
  }

  function prepare({ event: draft, size }: Draftee): void {
    sequence += 1;
    draft.meta.sequence = sequence;
    let event: Masked;
    try {
      event = flusher.mask(draft);
    } catch (error) {
      // Its number stays free, so that readers see that something is missing.
      ledger.queued += 1;
      ledger.lose(error);
      ledger.notify();
      return;
    }
    const bytes = event === draft ? size : snapshot(event).size;
    if (!needsSplitting(bytes)) {
      queue(event, bytes);
      return;
    }
    const nextMeta = (): Meta => {
      sequence += 1;
      return { ...metaAt(event.meta.occurred_at), sequence };
    };
    for (const part of splitContent(event, nextMeta)) queue(part, snapshot(part).size);
  }

  /** Brings what was emitted on its way. A listener may emit too: that comes behind. */
  function prepareAll(): void {
    if (preparing) return;
    preparing = true;
    for (let index = 0; index < pending.length; index += 1) prepare(pending[index]!);
    pending = [];
    preparing = false;
  }

  return {
    sessionId,
    traceId,
    emit(type, draft) {
      if (type === "SessionStarted") checkLearningKey((draft as { learning_key?: unknown }).learning_key);
      const { copy, size } = snapshot(draft);
      last = Math.max(last, nowMicros());
      const event = createEvent(type, metaAt(last), copy);
      if (pending.length === 0) queueMicrotask(prepareAll);
      pending.push({ event, size });
      return event.meta.event_id;
    },
    history() {
      prepareAll();
      return history;
    },
    ready(signal) {
      prepareAll();
      return flusher.ready(signal);
    },
    flush() {
      prepareAll();
      return ledger.durable();
    },
  };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError("a recorder needs a flusher or a log");
  return value;
}
