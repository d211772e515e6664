import type { Queryable } from "../database/database.ts";
import type { Uuid } from "../schemas/generated/events.ts";
import { withFacts } from "../traces/fold.ts";
import type { Work } from "./batch-work.ts";
import { groupsOf } from "./groups.ts";
import { allChanges, applyEvents, type SessionChanges } from "./session-changes.ts";
import { dropWaiting, type KeptFacts, saveWaiting } from "./session-facts.ts";
import { emptyStored, loadStored, type StoredTrace } from "./stored-events.ts";
import type { TableNames } from "./tables.ts";
import type { TraceCache } from "./trace-cache.ts";
import { type ChangedSession, writeSessions } from "./write-sessions.ts";

/** Sessions that are folded at a time, by what is stored of them. */
const GROUP = { items: 500, size: 32 * 1024 * 1024 };

/** A session as the database has it. */
export interface Known {
  id: number;
  event_count: number;
  size: number;
}

/** What the database has of sessions: one query. */
export async function loadKnown(
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

/** A unit of work on sessions that it has locked. */
export interface UnitContext {
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
async function statesOf(sessions: readonly Uuid[], context: UnitContext): Promise<Map<Uuid, StoredTrace>> {
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
    } else if (cached?.trace.event_count === row.event_count && cached.size === row.size) {
      states.set(session, cached);
    } else {
      missing.set(session, id);
    }
  }
  for (const [session, state] of await loadStored(tx, tables, missing)) states.set(session, state);
  return states;
}

/** Folds what a batch says into sessions, and writes their rows from all that is known of them. */
export async function applyWhole(sessions: readonly Uuid[], context: UnitContext): Promise<void> {
  const { ids, known } = context;
  const sizeOf = (session: Uuid): number => known.get(ids.get(session)!)?.size ?? 0;
  for (const group of groupsOf(sessions, sizeOf, GROUP)) await applyGroup(group, context);
}

async function applyGroup(sessions: readonly Uuid[], context: UnitContext): Promise<void> {
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
