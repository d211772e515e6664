import { createHash } from "node:crypto";
import { join } from "node:path";
import { isAtlasError } from "../../errors/atlas-error.ts";
import type { RawRecord } from "../../log/event-log.ts";
import { decodeEvent } from "../../schemas/codec.ts";
import type { AtlasEvent, Uuid } from "../../schemas/generated/events.ts";
import { isUuid } from "../../schemas/identity.ts";
import { DERIVED_TOPICS, topicOf } from "../../schemas/topics.ts";
import { emptyTrace, foldEvent } from "../../traces/fold.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { type DatasetFilters, type LeftOut, reasonAgainst } from "./selection.ts";
import { FrameFile, SessionSpill, type SpilledRecord } from "./session-spill.ts";
import type { SplitFacts } from "./split.ts";
import { type Positions, type ReadableLog, readStretches, type Stretch } from "./window.ts";

/** A session that goes in, and where its records lie. */
export interface ChosenSession extends SplitFacts {
  sessionId: Uuid;
  /** Microseconds. */
  createdAt: number;
  /** Hash of the task and the answer. */
  content: string;
  position: number;
  length: number;
}

/** What was read of the log, by session. */
export interface Collected {
  positions: Positions;
  /** How many were chosen. */
  sessions: number;
  leftOut: Record<LeftOut, number>;
  unreadable: number;
  /** Ids of sessions that were erased, also after what was read. */
  erased: ReadonlySet<Uuid>;
  /** Folds a session once more, and says which schemas wrote its events. */
  read(session: ChosenSession): Promise<{ trace: SessionTrace; fingerprints: string[] }>;
  close(): Promise<void>;
}

/** What to collect. */
export interface CollectOptions {
  log: ReadableLog;
  stretches: readonly Stretch[];
  filters: DatasetFilters;
  branch: string | null;
  /** A folder for what does not fit into memory. */
  scratch: string;
  /** Takes each session that goes in, in no order. */
  onChosen: (session: ChosenSession) => Promise<void>;
  onRead?: ((records: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

const isDerived = ({ type }: AtlasEvent): boolean =>
  (DERIVED_TOPICS as readonly string[]).includes(topicOf(type));

const isWord = (event: AtlasEvent): boolean =>
  event.type === "ReviewStatusChanged" && event.because === "person";

/**
 * The events of a session as a branch has them: what was derived there, where it has any, in place of what was derived
 * live. A person's word counts in every branch, also when it came later.
 */
function asInBranch(events: readonly AtlasEvent[], branch: string | null): AtlasEvent[] {
  const of = ({ meta }: AtlasEvent): string | null => meta.derivation?.branch ?? null;
  const live = events.filter((event) => of(event) === null);
  const own = branch === null ? [] : events.filter((event) => of(event) === branch);
  if (own.length === 0) return live;
  const moved = own.map((event) => {
    const derivation = { ...event.meta.derivation!, branch: null };
    return { ...event, meta: { ...event.meta, derivation } } as AtlasEvent;
  });
  return [...live.filter((event) => !isDerived(event) || isWord(event)), ...moved];
}

function decodeAll(records: readonly SpilledRecord[]): { events: AtlasEvent[]; unreadable: number } {
  const events: AtlasEvent[] = [];
  let unreadable = 0;
  for (const { fingerprint, body } of records) {
    try {
      events.push(decodeEvent(fingerprint, body));
    } catch (error) {
      // What was never an event is a hole in the session, which shows; what is newer than this package is not.
      if (!isAtlasError(error, "ATLAS_EVENT_UNREADABLE")) throw error;
      unreadable += 1;
    }
  }
  return { events, unreadable };
}

function fold(sessionId: Uuid, events: readonly AtlasEvent[], branch: string | null): SessionTrace {
  const trace = emptyTrace(sessionId);
  for (const event of asInBranch(events, branch)) foldEvent(trace, event);
  return trace;
}

const digestOf = (...texts: (string | null)[]): string =>
  createHash("sha256").update(JSON.stringify(texts)).digest("base64");

/** Sessions that were erased after what a dataset may know: they must not come back. */
async function erasedLater(log: ReadableLog, stretches: readonly Stretch[]): Promise<Set<Uuid>> {
  const erased = new Set<Uuid>();
  for (const { topic, partition, until } of stretches) {
    if (topic !== "atlas.decisions") continue;
    for await (const batch of log.readRaw([topic], { partition, fromOffset: until })) {
      for (const event of decodeAll(batch.map(storedOf)).events)
        if (event.type === "SessionErased" && event.meta.session_id != null)
          erased.add(event.meta.session_id);
    }
  }
  return erased;
}

const storedOf = ({ fingerprint = "", body }: RawRecord): SpilledRecord => ({ fingerprint, body });

/** The session that a record is about; undefined for none. */
function sessionOf({ topic, key, fingerprint, body }: RawRecord): Uuid | undefined {
  if (fingerprint === undefined) return undefined;
  const id = topic === "atlas.sessions" ? key : decodeEvent(fingerprint, body).meta.session_id;
  return id != null && isUuid(id) && id === id.toLowerCase() ? id : undefined;
}

/**
 * Reads the log once, brings its records together by session on disk, and folds one session after the other. Memory
 * holds a fixed part of the records, and the session at hand.
 *
 * @throws AtlasError ATLAS_SCHEMA_NEWER, and what reading the log throws
 */
export async function collectSessions(options: CollectOptions): Promise<Collected> {
  const { log, stretches, filters, branch, scratch, onChosen, onRead, signal } = options;
  const spill = await SessionSpill.create(join(scratch, "by-session"));
  let unreadable = 0;
  let read = 0;
  const positions = await readStretches(log, stretches, async (record) => {
    signal?.throwIfAborted();
    read += 1;
    onRead?.(read);
    let sessionId: Uuid | undefined;
    try {
      sessionId = sessionOf(record);
    } catch (error) {
      if (!isAtlasError(error, "ATLAS_EVENT_UNREADABLE")) throw error;
    }
    if (sessionId !== undefined) await spill.add(sessionId, storedOf(record));
    else if (record.fingerprint === undefined) unreadable += 1;
  });
  const erased = await erasedLater(log, stretches);
  const chosen = await FrameFile.create(join(scratch, "chosen"));
  let sessions = 0;
  const leftOut: Record<LeftOut, number> = { erased: 0, incomplete: 0, simulated: 0, filtered: 0 };
  for await (const { sessionId, records } of spill.sessions()) {
    signal?.throwIfAborted();
    const decoded = decodeAll(records);
    unreadable += decoded.unreadable;
    const trace = fold(sessionId, decoded.events, branch);
    if (trace.started === null || trace.created_at === null) continue;
    const reason = erased.has(sessionId) ? "erased" : reasonAgainst(trace, filters);
    if (reason !== undefined) {
      leftOut[reason] += 1;
      continue;
    }
    const position = chosen.bytes;
    for (const record of records) await chosen.add(sessionId, record);
    const length = chosen.bytes - position;
    const { learning_key: learningKey, task, group_id: groupId = null } = trace.started;
    sessions += 1;
    await onChosen({
      sessionId,
      createdAt: trace.created_at,
      learningKey,
      groupId,
      task: digestOf(task),
      content: digestOf(task, trace.final_answer),
      position,
      length,
    });
  }
  await chosen.flush();
  return {
    positions,
    sessions,
    leftOut,
    unreadable,
    erased,
    read: async ({ sessionId, position, length }) => {
      const records = await chosen.read(position, length);
      const trace = fold(sessionId, decodeAll(records).events, branch);
      return { trace, fingerprints: records.map(({ fingerprint }) => fingerprint) };
    },
    close: () => chosen.close(),
  };
}
