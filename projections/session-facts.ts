import type { Queryable } from "../database/database.ts";
import { forgetDeadLetters } from "../log/runner/dead-letter-store.ts";
import type { AtlasEvent, Uuid } from "../schemas/generated/events.ts";
import { type Columns, insertRows } from "./insert-rows.ts";
import type { TableNames } from "./tables.ts";

/** What is kept of a session beside the tables. */
export interface KeptFacts {
  /** What other topics say. */
  facts: AtlasEvent[];
  /** The session's own events, in order, while its start is not there. */
  waiting: AtlasEvent[];
}

interface FactRow {
  session: Uuid;
  event: AtlasEvent;
  place: number | null;
}

const revisionOf = ({ meta }: AtlasEvent): number => meta.derivation?.revision ?? 0;

/** What is kept of a fact: not the record of a dead letter, and of an erasure neither who asked for it nor why. */
function keptOf(event: AtlasEvent): AtlasEvent | Record<string, unknown> {
  if (event.type === "DeadLettered") return { ...event, body: "" };
  if (event.type === "SessionErased") return { ...event, learning_key: "", author: "", reason: null };
  return event;
}

const COLUMNS: Columns<FactRow> = {
  session_uuid: ["uuid", ({ session }) => session],
  event_id: ["uuid", ({ event }) => event.meta.event_id],
  type: ["text", ({ event }) => event.type],
  revision: ["int", ({ event }) => revisionOf(event)],
  place: ["int", ({ place }) => place],
  event: ["text", ({ event }) => JSON.stringify(keptOf(event))],
};

/** What is kept of each of these sessions: one query. */
export async function loadFacts(
  db: Queryable,
  tables: TableNames,
  sessions: readonly Uuid[],
): Promise<Map<Uuid, KeptFacts>> {
  const kept = new Map<Uuid, KeptFacts>(sessions.map((uuid) => [uuid, { facts: [], waiting: [] }]));
  if (sessions.length === 0) return kept;
  const { rows } = await db.query<{ session: Uuid; event: string; place: number | null }>(
    `select session_uuid::text as session, event, place from ${tables("session_facts")}
      where session_uuid = any($1::uuid[]) order by session_uuid, place, event_id`,
    [sessions],
  );
  for (const { session, event, place } of rows) {
    const { facts, waiting } = kept.get(session)!;
    (place === null ? facts : waiting).push(JSON.parse(event) as AtlasEvent);
  }
  return kept;
}

/** The facts that are not kept yet; of one event, only later revisions count as new. */
export function newFacts(kept: KeptFacts, facts: readonly AtlasEvent[]): AtlasEvent[] {
  const latest = new Map(kept.facts.map((fact) => [fact.meta.event_id, revisionOf(fact)]));
  return facts.filter((fact) => {
    const known = latest.get(fact.meta.event_id);
    if (known !== undefined && known >= revisionOf(fact)) return false;
    latest.set(fact.meta.event_id, revisionOf(fact));
    return true;
  });
}

/** Keeps facts; a later revision takes the place of an earlier one. */
export async function saveFacts(
  tx: Queryable,
  tables: TableNames,
  bySession: ReadonlyMap<Uuid, readonly AtlasEvent[]>,
): Promise<void> {
  const rows = new Map<Uuid, FactRow>();
  for (const [session, facts] of bySession) {
    for (const event of facts) rows.set(event.meta.event_id, { session, event, place: null });
  }
  await save(tx, tables, [...rows.values()]);
}

/** Keeps own events of sessions until their start is there. */
export const saveWaiting = (
  tx: Queryable,
  tables: TableNames,
  events: readonly { session: Uuid; event: AtlasEvent; place: number }[],
): Promise<void> => save(tx, tables, events);

const save = (tx: Queryable, tables: TableNames, rows: readonly FactRow[]): Promise<void> =>
  insertRows(
    tx,
    { table: tables("session_facts"), columns: COLUMNS, key: ["session_uuid", "event_id"] },
    rows,
  );

/** Forgets the own events of sessions that have started. */
export async function dropWaiting(
  tx: Queryable,
  tables: TableNames,
  sessions: readonly Uuid[],
): Promise<void> {
  if (sessions.length === 0) return;
  await tx.query(
    `delete from ${tables("session_facts")} where session_uuid = any($1::uuid[]) and place is not null`,
    [sessions],
  );
}

/** Forgets the rows that own events of sessions made, so that these can be applied anew; what others said stays. */
export async function dropOwn(tx: Queryable, tables: TableNames, sessions: readonly Uuid[]): Promise<void> {
  await tx.query(`delete from ${tables("sessions")} where session_uuid = any($1::uuid[])`, [sessions]);
  await dropWaiting(tx, tables, sessions);
}

/** Says whether a session was erased. */
export const isErased = (facts: readonly AtlasEvent[]): boolean =>
  facts.some(({ type }) => type === "SessionErased");

/** Removes sessions from every table; that they were erased stays, so that what comes later is left out too. */
export async function eraseSessions(
  tx: Queryable,
  tables: TableNames,
  sessions: readonly Uuid[],
): Promise<void> {
  if (sessions.length === 0) return;
  await tx.query(`delete from ${tables("sessions")} where session_uuid = any($1::uuid[])`, [sessions]);
  await tx.query(
    `delete from ${tables("session_facts")} where session_uuid = any($1::uuid[]) and type <> 'SessionErased'`,
    [sessions],
  );
  await forgetDeadLetters(tx, sessions);
}
