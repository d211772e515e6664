import type { Queryable } from "../../database/database.ts";
import type { Uuid } from "../../schemas/generated/events.ts";

/** Work for later. */
export interface NewItem {
  /** Names the work within its queue: what is in it already is not taken again. */
  id: string;
  /** Lanes of a queue are worked on separately, each in order; one without a name unless told. */
  lane?: string | undefined;
  /** What is kept of a session goes when that is erased. */
  sessionId?: Uuid | null | undefined;
  /** JSON. */
  payload: unknown;
  /** Nobody takes it before {@link makeDue}. */
  parked?: boolean | undefined;
}

/** Work that is not done, or was kept when it was. */
export interface ListedItem<P> {
  id: string;
  lane: string;
  sessionId: Uuid | null;
  payload: P;
  status: "waiting" | "done" | "failed";
  tries: number;
  createdAt: Date;
  dueAt: Date | null;
  lastError: string | null;
}

/** Puts work into a queue, in the caller's unit of work: it is there if that commits. Due at once unless parked. */
export async function enqueue(tx: Queryable, queue: string, items: readonly NewItem[]): Promise<void> {
  if (items.length === 0) return;
  await tx.query(
    `insert into atlas_log.queue (queue, lane, id, session_id, payload, due_at)
     select $1, i.lane, i.id, i.session_id, i.payload, case when not i.parked then now() end
       from unnest($2::text[], $3::text[], $4::uuid[], $5::text[], $6::boolean[])
            with ordinality as i(lane, id, session_id, payload, parked, place)
      order by i.place
     on conflict do nothing`,
    [
      queue,
      items.map(({ lane = "" }) => lane),
      items.map(({ id }) => id),
      items.map(({ sessionId }) => sessionId ?? null),
      items.map(({ payload }) => JSON.stringify(payload)),
      items.map(({ parked = false }) => parked),
    ],
  );
}

/** Makes a session's work due now, unless somebody is at it. */
export async function makeDue(tx: Queryable, queue: string, session: Uuid): Promise<void> {
  await tx.query(
    `update atlas_log.queue set due_at = now()
      where queue = $1 and session_id = $2 and status = 'waiting' and holder is null`,
    [queue, session],
  );
}

/** Which of these sessions have work in a queue. */
export async function sessionsIn(
  tx: Queryable,
  queue: string,
  sessions: readonly Uuid[],
): Promise<Set<Uuid>> {
  if (sessions.length === 0) return new Set();
  const { rows } = await tx.query<{ id: Uuid }>(
    "select distinct session_id::text as id from atlas_log.queue where queue = $1 and session_id = any($2::uuid[])",
    [queue, sessions],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Forgets the work of sessions, done or not; `parked`: only what nobody could take yet. */
export async function forgetSessions(
  tx: Queryable,
  queue: string,
  sessions: readonly Uuid[],
  { parked = false }: { parked?: boolean } = {},
): Promise<void> {
  if (sessions.length === 0) return;
  await tx.query(
    `delete from atlas_log.queue
      where queue = $1 and session_id = any($2::uuid[]) and (not $3 or due_at is null)`,
    [queue, sessions, parked],
  );
}

/** Forgets what was done so many days ago. */
export async function forgetDone(db: Queryable, queue: string, days: number): Promise<void> {
  await db.query(
    `delete from atlas_log.queue
      where queue = $1 and status = 'done' and closed_at < now() - $2 * interval '1 day'`,
    [queue, days],
  );
}

/**
 * Makes work that was given up due again, with all its tries before it.
 *
 * @param lane of this lane only
 * @returns how many
 */
export async function retryFailed(db: Queryable, queue: string, lane?: string): Promise<number> {
  const { rowCount } = await db.query(
    `update atlas_log.queue set status = 'waiting', tries = 0, due_at = now(), closed_at = null
      where queue = $1 and status = 'failed' and lane = coalesce($2, lane)`,
    [queue, lane ?? null],
  );
  return rowCount;
}

/** Work of a queue, the newest first. */
export async function listItems<P>(
  db: Queryable,
  queue: string,
  { statuses, limit }: { statuses: readonly ListedItem<P>["status"][]; limit: number },
): Promise<ListedItem<P>[]> {
  const { rows } = await db.query<ListedItem<P> & { payload: string }>(
    `select id, lane, session_id::text as "sessionId", payload, status, tries, created_at as "createdAt",
            due_at as "dueAt", last_error as "lastError"
       from atlas_log.queue where queue = $1 and status = any($2) order by created_at desc, number desc limit $3`,
    [queue, statuses, limit],
  );
  return rows.map((row) => ({ ...row, payload: JSON.parse(row.payload) as P }));
}

/** Work that is not done, by lane. */
export interface OpenItems {
  lane: string;
  status: "waiting" | "failed";
  count: number;
}

/** How much of a queue waits or was given up. */
export async function countOpen(db: Queryable, queue: string): Promise<OpenItems[]> {
  const { rows } = await db.query<OpenItems>(
    `select lane, status, count(*)::int as count from atlas_log.queue
      where queue = $1 and status <> 'done' group by lane, status`,
    [queue],
  );
  return rows;
}
