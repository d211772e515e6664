import { AtlasError } from "../errors/atlas-error.ts";
import type { Apply, LogRecord, Unit } from "../log/event-log.ts";
import type { Queryable } from "../log/postgres/database.ts";
import type { AtlasEvent, DeadLettered, PlaybookRevised, Uuid } from "../schemas/generated/events.ts";
import { withFacts } from "../traces/fold.ts";
import { writePlaybooks } from "./learning-registry.ts";
import { allChanges, applyEvents, type SessionChanges } from "./session-changes.ts";
import {
  dropWaiting,
  eraseSessions,
  isErased,
  type KeptFacts,
  loadFacts,
  newFacts,
  saveDeadLetters,
  saveFacts,
  saveWaiting,
} from "./session-facts.ts";
import { isSessionId, lockSessions } from "./session-ids.ts";
import { emptyStored, loadStored, type StoredTrace } from "./stored-events.ts";
import { type TableNames, tablesIn } from "./tables.ts";
import { TraceCache } from "./trace-cache.ts";
import { type DerivedChange, writeDerived } from "./write-derived.ts";
import { type ChangedSession, writeSessions } from "./write-sessions.ts";

/** How to fill read models. */
export interface ReadModelOptions {
  /** Where the tables are; the first schema of the search path unless told. */
  schema?: string;
  /** Memory for the traces of sessions under way, in bytes; 64 MiB unless told. */
  cacheBytes?: number;
}

/** The projection of the log into read models. */
export interface ReadModels {
  /** Applies a batch of any of the topics, in one transaction. */
  apply: Apply;
  /** Drops what is remembered of an assignment's sessions: it is not this member's any more, or newly so. */
  forget(partition: number): void;
}

const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;

/** Sessions that are folded at a time, by the size of what is stored of them. */
const CHUNK_SIZE = 32 * 1024 * 1024;

/** What a batch says, by what it is about. */
interface Work {
  own: Map<Uuid, AtlasEvent[]>;
  facts: Map<Uuid, AtlasEvent[]>;
  letters: DeadLettered[];
  playbooks: PlaybookRevised[];
}

/** A session as the database has it. */
interface Known {
  id: number;
  event_count: number;
  size: number;
}

function workOf(batch: readonly LogRecord[]): Work {
  const work: Work = { own: new Map(), facts: new Map(), letters: [], playbooks: [] };
  for (const { topic, event } of batch) {
    const session = event.meta.session_id;
    if (event.type === "DeadLettered") work.letters.push(event);
    if (event.type === "PlaybookRevised") work.playbooks.push(event);
    else if (isSessionId(session)) {
      const into = topic === "atlas.sessions" ? work.own : work.facts;
      const list = into.get(session);
      if (list === undefined) into.set(session, [event]);
      else list.push(event);
    } else if (topic === "atlas.sessions") {
      throw new AtlasError(
        "ATLAS_EVENT_INVALID",
        `${event.type} has no session_id that is a UUID in lower case`,
        {
          where: `event ${event.meta.event_id}`,
        },
      );
    }
  }
  return work;
}

async function loadKnown(
  tx: Queryable,
  tables: TableNames,
  ids: readonly number[],
): Promise<Map<number, Known>> {
  if (ids.length === 0) return new Map();
  const { rows } = await tx.query<Known>(
    `select id, event_count, size::float8 as size from ${tables("sessions")} where id = any($1::int[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/**
 * The read models, as something that a log's consumer applies. They are a function of what the log holds: however
 * its topics interleave, whatever is repeated, and wherever a unit fails, the rows come out the same.
 *
 * A session's own events arrive in one assignment, what was derived of it or decided about it in another, perhaps in
 * another process. Whoever comes second sees what the first one wrote, because both lock the session; the first
 * assignment writes whole rows from all that is known, the second one the columns that are its own.
 *
 * @example
 * const { apply, forget } = createReadModels();
 * await log.consume({ group: "read-models", topics: TOPICS, onAssignmentChange: forget }, apply);
 */
export function createReadModels(options: ReadModelOptions = {}): ReadModels {
  const tables = tablesIn(options.schema);
  const cache = new TraceCache(options.cacheBytes ?? DEFAULT_CACHE_BYTES);
  return {
    forget: (partition) => cache.forget(partition),
    apply: (batch, unit) => applyBatch(workOf(batch), unit, tables, cache),
  };
}

async function applyBatch(work: Work, unit: Unit, tables: TableNames, cache: TraceCache): Promise<void> {
  const { tx, partition } = unit;
  const sessions = [...new Set([...work.own.keys(), ...work.facts.keys()])];
  const ids = await lockSessions(tx, sessions);
  const kept = await loadFacts(tx, tables, sessions);
  const added = new Map(
    [...work.facts].map(([session, facts]) => [session, newFacts(kept.get(session)!, facts)]),
  );
  for (const [session, facts] of added) kept.get(session)!.facts.push(...facts);

  const erased = new Set(sessions.filter((session) => isErased(kept.get(session)!.facts)));
  const stays = (session: Uuid): boolean => !erased.has(session);
  await saveFacts(
    tx,
    tables,
    new Map([...added].map(([session, facts]) => [session, facts.filter(worthKeeping(stays(session)))])),
  );
  await saveDeadLetters(
    tx,
    work.letters.filter(({ meta }) => stays(meta.session_id ?? "")),
  );
  await writePlaybooks(tx, tables, work.playbooks);
  await eraseSessions(
    tx,
    tables,
    [...added.keys()].filter((session) => isErased(added.get(session)!)),
  );

  const known = await loadKnown(tx, tables, [...ids.values()]);
  const whole = sessions.filter(
    (session) => stays(session) && (work.own.has(session) || hasLetter(added.get(session))),
  );
  for (const chunk of chunksOf(whole, (session) => known.get(ids.get(session)!)?.size ?? 0)) {
    await applyWhole(chunk, { work, ids, kept, known, tx, partition, tables, cache });
  }

  const derived = sessions.filter((session) => stays(session) && !whole.includes(session));
  await writeDerived(
    tx,
    tables,
    derived.flatMap((session) => derivedChange(session)),
  );

  function derivedChange(sessionId: Uuid): DerivedChange[] {
    const id = ids.get(sessionId)!;
    const fresh = added.get(sessionId) ?? [];
    if (fresh.length === 0 || !known.has(id)) return [];
    const rewarded = fresh.some(({ type }) => type === "SessionRewarded");
    return [{ id, sessionId, facts: kept.get(sessionId)!.facts, rewarded }];
  }
}

/** Of an erased session only that it was erased is kept. */
const worthKeeping =
  (stays: boolean) =>
  ({ type }: AtlasEvent): boolean =>
    stays || type === "SessionErased";

const hasLetter = (facts: readonly AtlasEvent[] | undefined): boolean =>
  facts?.some(({ type }) => type === "DeadLettered") ?? false;

function* chunksOf(sessions: readonly Uuid[], sizeOf: (session: Uuid) => number): Generator<Uuid[]> {
  let chunk: Uuid[] = [];
  let size = 0;
  for (const session of sessions) {
    const more = sizeOf(session);
    if (chunk.length > 0 && size + more > CHUNK_SIZE) {
      yield chunk;
      chunk = [];
      size = 0;
    }
    chunk.push(session);
    size += more;
  }
  if (chunk.length > 0) yield chunk;
}

interface Context {
  work: Work;
  ids: ReadonlyMap<Uuid, number>;
  kept: ReadonlyMap<Uuid, KeptFacts>;
  known: ReadonlyMap<number, Known>;
  tx: Queryable;
  partition: number;
  tables: TableNames;
  cache: TraceCache;
}

/** What is stored of sessions: from the cache as far as that is what the database holds. */
async function statesOf(sessions: readonly Uuid[], context: Context): Promise<Map<Uuid, StoredTrace>> {
  const { ids, known, kept, tx, tables, cache } = context;
  const states = new Map<Uuid, StoredTrace>();
  const missing = new Map<Uuid, number>();
  for (const session of sessions) {
    const id = ids.get(session)!;
    const row = known.get(id);
    const cached = cache.take(session);
    if (row === undefined) {
      const state = emptyStored(session);
      applyEvents(state, kept.get(session)!.waiting);
      states.set(session, state);
      // A unit that failed after it was folded left more in the cache than the database has.
    } else if (cached?.trace.event_count === row.event_count) {
      states.set(session, cached);
    } else {
      missing.set(session, id);
    }
  }
  for (const [session, state] of await loadStored(tx, tables, missing)) states.set(session, state);
  return states;
}

async function applyWhole(sessions: readonly Uuid[], context: Context): Promise<void> {
  const { work, ids, kept, known, tx, partition, tables, cache } = context;
  const changed: ChangedSession[] = [];
  const waiting: { session: Uuid; changes: SessionChanges }[] = [];
  const started: Uuid[] = [];
  for (const [session, state] of await statesOf(sessions, context)) {
    const id = ids.get(session)!;
    const changes = applyEvents(state, work.own.get(session) ?? []);
    if (state.trace.started === null) {
      waiting.push({ session, changes });
      continue;
    }
    const isNew = !known.has(id);
    if (isNew) started.push(session);
    const trace = withFacts(state.trace, kept.get(session)!.facts);
    changed.push({ id, state, trace, changes: isNew ? allChanges(state) : changes });
  }
  // Without its start a session has no rows: its events wait beside the tables.
  await saveWaiting(
    tx,
    tables,
    waiting.flatMap(({ session, changes }) => changes.taken.map((taken) => ({ session, ...taken }))),
  );
  await dropWaiting(
    tx,
    tables,
    started.filter((session) => kept.get(session)!.waiting.length > 0),
  );
  await writeSessions(tx, tables, changed);
  for (const { state } of changed) cache.put(state, partition);
}
