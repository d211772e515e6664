import { isTransient } from "../../database/transient.ts";
import { explain, messageOf } from "../../errors/atlas-error.ts";
import type { Backoff } from "../../errors/retry.ts";
import { whyUnjudged } from "../../judges/unjudged.ts";
import type { Ends, EventLog } from "../../log/event-log.ts";
import { type QueueItem, saveResult } from "../../log/queue/queue-leases.ts";
import { type NotDone, workQueue } from "../../log/queue/work-queue.ts";
import type { GuardedLogger } from "../../logging/guard-logger.ts";
import { defaultLogger } from "../../logging/process-warnings.ts";
import type { AtlasEvent, Uuid } from "../../schemas/generated/events.ts";
import { alreadyMasked, type Masked } from "../../schemas/masked.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { giveUp, type Judging, judgeLater } from "./judged-events.ts";
import { JUDGING_QUEUE, type WaitingSession } from "./judging-queue.ts";

/** How deferred judging works. */
export interface ReactorOptions {
  /** Milliseconds between looks; 500 unless told. */
  everyMs?: number | undefined;
  /** Milliseconds after which a session is anybody's again whose judge gives no sign of life; 60,000 unless told. */
  leaseMs?: number | undefined;
  /** How often judges are asked whose models do not answer; {@link MAX_TRIES} unless told. */
  maxTries?: number | undefined;
  /** Milliseconds until the second try at most, doubled with each one up to an hour; 20,000 unless told. */
  firstPauseMs?: number | undefined;
  logger?: GuardedLogger | undefined;
}

/** Judges sessions from the log. */
export interface Reactor {
  /** Gives back what it is judging, and ends. */
  stop(): Promise<void>;
}

/** With pauses of 10 seconds up to half an hour between them on average: about two hours and a quarter. */
export const MAX_TRIES = 12;

const BACKOFF: Backoff = { firstMs: 20_000, longestMs: 3_600_000 };
const LACKING_PAUSE_MS = 60_000;
const BEHIND_PAUSE_MS = 2000;
const CAUGHT_UP_MS = 30_000;

/** Where a reactor sees sessions. */
export interface SessionReader {
  traceOf(sessionId: Uuid): Promise<SessionTrace | undefined>;
  /** Whether a session that has no trace has none because it was erased. */
  isErased(sessionId: Uuid): Promise<boolean>;
  /** Resolves when {@link traceOf} knows all that stood in the log at these ends. */
  caughtUp(ends: Ends, waiting: { timeoutMs: number; signal: AbortSignal }): Promise<void>;
}

/** What keeps a session that is due from being judged, in words: its start or its end is not in the read models. */
function lackingOf(trace: SessionTrace | undefined): string | undefined {
  if (trace?.started == null) return "its start was set aside, see `atlas dead-letters list`";
  const over = trace.ended !== null || trace.erased !== null || trace.judged !== null;
  if (over || trace.status === "abandoned") return undefined;
  return "it has not ended, or its end was set aside, see `atlas dead-letters list`";
}

/**
 * Judges sessions that wait for it, so many at a time. Models are asked outside of any transaction; what they said is
 * fixed before it is appended, and appended again where nobody knows whether it was: the same events, which readers
 * take once.
 *
 * @param log with a database
 * @param parallel most sessions at a time
 */
export function startReactor(
  log: EventLog,
  reader: SessionReader,
  judging: () => Promise<Judging>,
  parallel: number,
  options: ReactorOptions = {},
): Reactor {
  const { everyMs, leaseMs, maxTries = MAX_TRIES, firstPauseMs = BACKOFF.firstMs } = options;
  const says = (options.logger ?? defaultLogger).of("judging");
  const db = log.db!;
  const warned = new Set<Uuid>();
  let stopped = false;

  /** That a session is due shows only to who has read all there is: its judgements may stand behind. No try counts. */
  async function behind(signal: AbortSignal): Promise<NotDone | undefined> {
    try {
      const ends = await log.ends(["atlas.sessions"]);
      await reader.caughtUp(ends, { timeoutMs: CAUGHT_UP_MS, signal });
      return undefined;
    } catch (error) {
      if (!isTransient(error)) throw error;
      return { error: messageOf(error), afterMs: BEHIND_PAUSE_MS, counts: false };
    }
  }

  /** Waits until what the session lacks is there; nobody was asked, so no try is counted. */
  function lacks(sessionId: Uuid, lacking: string): NotDone {
    if (!warned.has(sessionId)) {
      warned.add(sessionId);
      const session = sessionId;
      says.warn({ code: "ATLAS_JUDGING_WAITS", session }, `a session waits for its judges: ${lacking}`);
    }
    return { error: lacking, afterMs: LACKING_PAUSE_MS, counts: false };
  }

  /** What the judges say, or after the last try that they said nothing; before that, why they are asked again. */
  async function ask(
    { tries, lastError, payload: { learningKey } }: QueueItem<WaitingSession>,
    trace: SessionTrace,
    held: AbortSignal,
  ): Promise<Masked[] | NotDone> {
    const closed = async (error: string): Promise<Masked[]> => {
      says.warn(
        { code: "ATLAS_JUDGING_GIVEN_UP", session: trace.session_id, tries },
        "judges did not answer, and are asked no more",
      );
      return giveUp(trace, learningKey, await judging(), `given up after ${maxTries} tries: ${error}`);
    };
    // Whoever was killed while it judged left no word of it.
    if (tries > maxTries) return closed(lastError ?? "whoever judged it was killed");
    let said: Awaited<ReturnType<typeof judgeLater>>;
    try {
      said = await judgeLater(trace, learningKey, await judging(), held);
    } catch (error) {
      if (held.aborted || tries < maxTries) throw error;
      return closed(explain(error));
    }
    held.throwIfAborted();
    const { events, outage, lastError: reason = "a model did not answer" } = said;
    return outage && tries < maxTries ? { error: reason } : events;
  }

  async function judge(item: QueueItem<WaitingSession>, held: AbortSignal): Promise<NotDone | undefined> {
    if (item.result !== null) {
      await log.append((item.result as AtlasEvent[]).map(alreadyMasked));
      return undefined;
    }
    const late = await behind(held);
    if (late !== undefined) return late;
    const trace = await reader.traceOf(item.id);
    if (trace === undefined && (await reader.isErased(item.id))) return undefined;
    const lacking = lackingOf(trace);
    if (trace === undefined || lacking !== undefined) return lacks(item.id, lacking!);
    const { erased, judged, ended } = trace;
    if (erased !== null || judged !== null || ended === null || ended.status === "cancelled")
      return undefined;
    // Whoever ran it says so itself, unless it died in between.
    const unjudged = whyUnjudged(ended);
    const { learningKey } = item.payload;
    const events =
      unjudged === undefined
        ? await ask(item, trace, held)
        : giveUp(trace, learningKey, await judging(), unjudged);
    if (!Array.isArray(events)) return events;
    if (await saveResult(db, item, events)) await log.append(events);
    return undefined;
  }

  function warn(error: unknown): void {
    if (stopped || isTransient(error)) return;
    says.warn({ code: "ATLAS_JUDGING_WAITS", err: error }, "sessions wait for their judges");
  }

  const worker = workQueue<WaitingSession>(db, JUDGING_QUEUE, judge, {
    concurrency: parallel,
    everyMs,
    leaseMs,
    backoff: { ...BACKOFF, firstMs: firstPauseMs },
    onTry: ({ id: session, tries }, outcome, _error, thrown) => {
      if (thrown !== undefined) warn(thrown);
      else if (outcome === "retried")
        says.info(
          { code: "ATLAS_JUDGING_POSTPONED", session, tries },
          "judges did not answer, and are asked again",
        );
    },
    onTrouble: warn,
  });
  return {
    async stop() {
      stopped = true;
      await worker.stop();
    },
  };
}
