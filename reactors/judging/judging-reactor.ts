import { setTimeout as sleep } from "node:timers/promises";
import { isTransient } from "../../database/transient.ts";
import { AtlasError, explain, isAtlasError } from "../../errors/atlas-error.ts";
import { whyUnjudged } from "../../judges/unjudged.ts";
import type { Ends, EventLog } from "../../log/event-log.ts";
import { looked } from "../../log/looked.ts";
import type { GuardedLogger } from "../../logging/guard-logger.ts";
import { defaultLogger } from "../../logging/process-warnings.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import { newId } from "../../schemas/identity.ts";
import type { Masked } from "../../schemas/masked.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { giveUp, type Judging, judgeLater } from "./judged-events.ts";
import { JUDGING } from "./judging-consumer.ts";
import {
  type Claim,
  claimNext,
  forget,
  isAnyDue,
  type Judged,
  keepResult,
  postpone,
  release,
  renew,
  takeUnpublished,
} from "./judging-store.ts";

/** How deferred judging works. */
export interface ReactorOptions {
  /** Milliseconds between looks; 500 unless told. */
  everyMs?: number | undefined;
  /** Milliseconds after which a session is anybody's again whose judge gives no sign of life; 60,000 unless told. */
  leaseMs?: number | undefined;
  /** How often judges are asked whose models do not answer; {@link MAX_TRIES} unless told. */
  maxTries?: number | undefined;
  /** Milliseconds until the second try, doubled with each one up to half an hour; 10,000 unless told. */
  firstPauseMs?: number | undefined;
  /** Milliseconds after which judgements are appended by somebody else than who got them; 30,000 unless told. */
  publishMs?: number | undefined;
  logger?: GuardedLogger | undefined;
}

/** Judges sessions from the log. */
export interface Reactor {
  /** Gives back what it is judging, and ends. */
  stop(): Promise<void>;
}

/** With pauses from 10 seconds to half an hour between them: about two hours and a quarter. */
export const MAX_TRIES = 12;

const EVERY_MS = 500;
const TROUBLED_MS = 2000;
const LEASE_MS = 60_000;
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 1_800_000;
const LACKING_PAUSE_MS = 60_000;
const CAUGHT_UP_MS = 30_000;
/** For an append that takes no longer than a log may stay away before it says so. */
const PUBLISH_MS = 30_000;

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
 * Judges sessions that wait for it, so many at a time. Claiming one and fixing what its judges said are two units of
 * work; models are asked in between, outside of any transaction. What is fixed is then appended, again where nobody
 * knows whether it was: the same events, which readers take once.
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
  const { everyMs = EVERY_MS, leaseMs = LEASE_MS, maxTries = MAX_TRIES } = options;
  const { firstPauseMs = FIRST_PAUSE_MS, publishMs = PUBLISH_MS } = options;
  const says = (options.logger ?? defaultLogger).of("judging");
  const db = log.db!;
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = new Set<Promise<void>>();
  const warned = new Set<Uuid>();

  async function publish({ sessionId, events }: Judged): Promise<void> {
    await log.append(events);
    await forget(db, sessionId);
  }

  async function finish(claim: Claim, events: Masked[]): Promise<void> {
    const { sessionId } = claim;
    if (await keepResult(db, claim, events, publishMs)) await publish({ sessionId, events });
  }

  /** What somebody fixed who did not come to append it. */
  async function publishRest(): Promise<void> {
    for (;;) {
      const judged = await takeUnpublished(db, publishMs);
      if (judged === undefined) return;
      await publish(judged);
    }
  }

  /** That a session is due shows only to who has read all there is: its judgements may stand behind. */
  async function caughtUp(): Promise<void> {
    const ends = await log.ends(["atlas.sessions"]);
    const waiting = { timeoutMs: CAUGHT_UP_MS, signal };
    await log.caughtUp(JUDGING, ends, waiting);
    await reader.caughtUp(ends, waiting);
  }

  /** Waits until what the session lacks is there; nobody was asked, so no try is counted. */
  async function wait(claim: Claim, lacking: string): Promise<void> {
    await postpone(db, claim, lacking, LACKING_PAUSE_MS, { counts: false });
    if (warned.has(claim.sessionId)) return;
    warned.add(claim.sessionId);
    const session = claim.sessionId;
    says.warn({ code: "ATLAS_JUDGING_WAITS", session }, `a session waits for its judges: ${lacking}`);
  }

  /** Puts a try off, or ends the session's wait without a judgement if it was the last one. */
  async function failed(claim: Claim, trace: SessionTrace, error: string, last?: Masked[]): Promise<void> {
    const tried = { session: claim.sessionId, tries: claim.tries };
    if (claim.tries < maxTries) {
      says.info({ code: "ATLAS_JUDGING_POSTPONED", ...tried }, "judges did not answer, and are asked again");
      const pause = Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** (claim.tries - 1));
      await postpone(db, claim, error, pause);
      return;
    }
    says.warn({ code: "ATLAS_JUDGING_GIVEN_UP", ...tried }, "judges did not answer, and are asked no more");
    const reason = `given up after ${maxTries} tries: ${error}`;
    const events = last ?? giveUp(trace, claim.learningKey, await judging(), reason);
    await finish(claim, events);
  }

  async function judgeClaimed(claim: Claim, held: AbortSignal): Promise<void> {
    const { sessionId, learningKey, tries } = claim;
    const trace = await reader.traceOf(sessionId);
    if (trace === undefined && (await reader.isErased(sessionId))) return forget(db, sessionId);
    const lacking = lackingOf(trace);
    if (trace === undefined || lacking !== undefined) return wait(claim, lacking!);
    const { erased, judged, ended } = trace;
    if (erased !== null || judged !== null || ended === null || ended.status === "cancelled") {
      await forget(db, sessionId);
      return;
    }
    // Whoever ran it says so itself, unless it died in between.
    const unjudged = whyUnjudged(ended);
    if (unjudged !== undefined) return finish(claim, giveUp(trace, learningKey, await judging(), unjudged));
    // Whoever was killed while it judged left no word of it, so tries are counted when they begin.
    if (tries > maxTries) return failed(claim, trace, claim.lastError ?? "whoever judged it was killed");
    let said: Awaited<ReturnType<typeof judgeLater>>;
    try {
      said = await judgeLater(trace, learningKey, await judging(), held);
    } catch (error) {
      return held.aborted ? undefined : failed(claim, trace, explain(error));
    }
    if (held.aborted) return;
    const { events, outage, lastError = "a model did not answer" } = said;
    if (outage) return failed(claim, trace, lastError, events);
    await finish(claim, events);
  }

  async function judge(claim: Claim): Promise<void> {
    const losing = new AbortController();
    const held = AbortSignal.any([signal, losing.signal]);
    const lost = new AtlasError("ATLAS_CANCELLED", "another process judges the session");
    const beat = setInterval(() => {
      renew(db, claim, leaseMs).then(
        (holds) => holds || losing.abort(lost),
        () => undefined,
      );
    }, leaseMs / 3);
    beat.unref();
    try {
      await judgeClaimed(claim, held);
    } finally {
      clearInterval(beat);
      if (signal.aborted) await release(db, claim).catch(() => undefined);
    }
  }

  function begin(claim: Claim): void {
    const work = judge(claim)
      .catch(told)
      .finally(() => running.delete(work));
    running.add(work);
  }

  function told(error: unknown): void {
    const passes = isAtlasError(error) && (error.retryable || error.code === "ATLAS_CONSUMER_BEHIND");
    if (signal.aborted || passes || isTransient(error)) return;
    says.warn({ code: "ATLAS_JUDGING_WAITS", err: error }, "sessions wait for their judges");
  }

  async function look(): Promise<void> {
    await publishRest();
    if (running.size >= parallel || !(await isAnyDue(db))) return;
    await caughtUp();
    while (running.size < parallel && !signal.aborted) {
      const claim = await claimNext(db, newId(), leaseMs);
      if (claim === undefined) return;
      begin(claim);
    }
  }

  const done = (async () => {
    while (!signal.aborted) {
      let pause = everyMs;
      try {
        await look();
        looked("judging");
      } catch (error) {
        told(error);
        pause = TROUBLED_MS;
      }
      await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      stopping.abort(new AtlasError("ATLAS_CANCELLED", "the process that asked the judges ends"));
      await done;
      await Promise.allSettled(running);
    },
  };
}
