import { READ_MODELS } from "../derivation/stage-list.ts";
import { isAtlasError } from "../errors/atlas-error.ts";
import type { EventLog } from "../log/event-log.ts";
import { poll } from "../log/runner/poll.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import { defaultLogger } from "../logging/process-warnings.ts";
import { createEvent } from "../schemas/codec.ts";
import type { Micros, SessionAbandoned, Uuid } from "../schemas/generated/events.ts";
import { idOf, nowMicros } from "../schemas/identity.ts";
import { withLogged } from "../schemas/masked.ts";
import { partitionOf } from "../schemas/partition.ts";
import { sourceOf } from "../schemas/sources.ts";
import type { Pipeline } from "./pipeline.ts";

/** How the reaper works. */
export interface ReaperOptions {
  /** Milliseconds between looks; a minute unless told. */
  everyMs?: number;
  /** The present, in microseconds since the epoch. */
  clock?: () => Micros;
  /** Says that this process holds events back, perhaps a late session's end: then nothing is abandoned. */
  isHolding?: () => boolean;
  logger?: GuardedLogger;
}

/** A running reaper. */
export interface Reaper {
  /** Finishes the look under way and ends. */
  stop(): Promise<void>;
}

interface LateSession {
  id: Uuid;
  learning_key: string;
  deadline: Micros;
}

const EVERY_MS = 60_000;
const LONGEST_MS = 600_000;
const CAUGHT_UP_MS = 30_000;

/** Sessions without an end whose deadline has passed. The index over `metadata` finds what still runs. */
async function lateSessions(log: EventLog, now: Micros): Promise<LateSession[]> {
  const { rows } = await log.db!.query<LateSession>(
    `select session_uuid::text as id, learning_key,
            (extract(epoch from (metadata ->> 'deadline')::timestamptz) * 1000000)::float8 as deadline
       from sessions
      where metadata @> '{"status": "running"}'
        and (metadata ->> 'deadline')::timestamptz < to_timestamp($1::float8 / 1000000)
      order by session_uuid`,
    [now],
  );
  return rows;
}

/**
 * What is said of a session that is past its deadline: the same bytes whoever says it and whenever, so that it counts
 * once even if two do.
 */
export function abandoned({ id, learning_key, deadline }: LateSession): SessionAbandoned {
  const source = sourceOf("reaper", id);
  return createEvent(
    "SessionAbandoned",
    {
      event_id: idOf(source),
      session_id: id,
      source,
      sequence: 1,
      occurred_at: deadline,
      time_assumed: false,
      trace_id: id.replaceAll("-", ""),
    },
    { learning_key, deadline, reason: "the session passed its deadline without an end" },
  );
}

/**
 * Abandons the sessions of these partitions that are past their deadline, once the read models have seen all that the
 * log holds: the end of a session that is only late to be read is no reason to abandon it.
 *
 * @returns the sessions abandoned
 * @throws AtlasError ATLAS_CONSUMER_BEHIND when the read models do not catch up, and what the log throws
 */
export async function reap(
  log: EventLog,
  { now, partitions, signal }: { now: Micros; partitions: readonly number[]; signal?: AbortSignal },
): Promise<Uuid[]> {
  if (partitions.length === 0) return [];
  const waiting = { timeoutMs: CAUGHT_UP_MS, ...(signal && { signal }) };
  await log.caughtUp(READ_MODELS, await log.ends(["atlas.sessions"]), waiting);
  const late = await lateSessions(log, now);
  const mine = late.filter(({ id }) => partitions.includes(partitionOf(id, log.partitions)));
  const events = mine.map((session) =>
    withLogged(log.mask(abandoned(session)), { learning_key: session.learning_key }),
  );
  if (events.length > 0) await log.append(events);
  return mine.map(({ id }) => id);
}

/**
 * Ends sessions whose process died: looks at every interval for those of the partitions that this process owns.
 *
 * @example
 * const reaper = startReaper(log, pipeline);
 * await reaper.stop();
 */
export function startReaper(log: EventLog, pipeline: Pipeline, options: ReaperOptions = {}): Reaper {
  const { everyMs = EVERY_MS, clock = nowMicros, isHolding = () => false, logger = defaultLogger } = options;
  const says = logger.of("reaper");
  const stopping = new AbortController();
  const { signal } = stopping;
  const owned = (): readonly number[] =>
    pipeline.consumers.find(({ group }) => group === READ_MODELS)?.assignments ?? [];

  async function look(): Promise<void> {
    if (isHolding()) return;
    for (const session of await reap(log, { now: clock(), partitions: owned(), signal }))
      says.info({ code: "ATLAS_SESSION_ABANDONED", session }, "ended a session whose process is gone");
  }

  function onError(error: unknown): void {
    if (signal.aborted || (isAtlasError(error) && error.retryable)) return;
    says.warn({ code: "ATLAS_REAPER_FAILED", err: error }, "late sessions were not ended");
  }

  // An interval first: a process that lives shorter has better things to do.
  const done = poll(look, { name: "reaper", everyMs, longestMs: LONGEST_MS, signal, onError, later: true });
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}
