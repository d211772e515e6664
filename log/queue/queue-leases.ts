import type { Queryable } from "../../database/database.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import { isGone } from "../runner/member.ts";

/** Work that somebody holds. */
export interface QueueItem<P> {
  queue: string;
  id: string;
  payload: P;
  /** This one included. */
  tries: number;
  /** What went wrong at the last one. */
  lastError: string | null;
  /** What {@link saveResult} fixed at an earlier try; null where nothing is. */
  result: unknown;
  /** Proves that this process holds it. Whoever takes it next gets another one. */
  lease: Uuid;
  /** For how long it is held at a time, in milliseconds by the database's clock. */
  leaseMs: number;
}

/** Who takes work, from where, and for how long. */
export interface Taking {
  queue: string;
  lane: string;
  holder: string;
  leaseMs: number;
}

/** Any item, as far as it is held. */
export type Held = Pick<QueueItem<unknown>, "queue" | "id" | "lease" | "leaseMs">;

const AHEAD = (parameter: number): string => `now() + $${parameter}::float8 * interval '1 millisecond'`;
const HOLDS = "where queue = $1 and id = $2 and lease = $3 and status = 'waiting'";

async function change(db: Queryable, held: Held, set: string, values: readonly unknown[] = []) {
  const { queue, id, lease } = held;
  const { rowCount } = await db.query(`update atlas_log.queue set ${set} ${HOLDS}`, [
    queue,
    id,
    lease,
    ...values,
  ]);
  return rowCount > 0;
}

/**
 * Takes the work of a lane that has been due for longest. Nobody else takes it before its lease runs out; if this
 * process dies meanwhile, somebody does then. The try counts from now on: who is killed leaves no word.
 */
export async function claim<P>(db: Queryable, taking: Taking, most: number): Promise<QueueItem<P>[]> {
  const { queue, lane, holder, leaseMs } = taking;
  const { rows } = await db.query<QueueItem<P> & { payload: string; result: string | null }>(
    `with due as materialized (
       select id, due_at, number from atlas_log.queue
        where queue = $1 and lane = $2 and status = 'waiting' and due_at <= now()
        order by due_at, number limit $3 for update skip locked
     ), taken as (
       update atlas_log.queue q
          set tries = q.tries + 1, lease = gen_random_uuid(), holder = $4, due_at = ${AHEAD(5)}
         from due where q.queue = $1 and q.id = due.id
       returning q.id, q.payload, q.tries, q.last_error, q.result, q.lease, due.due_at as since, q.number
     )
     select $1::text as queue, id, payload, tries, last_error as "lastError", result, lease::text as lease
       from taken order by since, number`,
    [queue, lane, most, holder, leaseMs],
  );
  return rows.map(({ payload, result, ...row }) => ({
    ...row,
    leaseMs,
    payload: JSON.parse(payload) as P,
    result: result === null ? null : (JSON.parse(result) as unknown),
  }));
}

/** Says whether work is still held, and if so that it is for another `leaseMs`. */
export const renew = (db: Queryable, held: Held): Promise<boolean> =>
  change(db, held, `due_at = ${AHEAD(4)}`, [held.leaseMs]);

/**
 * Fixes what came of work before it is published, and holds it for another `leaseMs`: whoever takes it next publishes
 * the same.
 *
 * @param result JSON
 * @returns false where somebody else has it, or it is gone
 */
export const saveResult = (db: Queryable, held: Held, result: unknown): Promise<boolean> =>
  change(db, held, `result = $5, due_at = ${AHEAD(4)}`, [held.leaseMs, JSON.stringify(result)]);

/**
 * Takes note that work is done: it is forgotten, or kept as `done`.
 *
 * @returns false where somebody else has it, or it is gone
 */
export async function complete(
  db: Queryable,
  held: Held,
  { keep = false }: { keep?: boolean } = {},
): Promise<boolean> {
  if (keep)
    return change(
      db,
      held,
      "status = 'done', closed_at = now(), lease = null, holder = null, last_error = null",
    );
  const { queue, id, lease } = held;
  const { rowCount } = await db.query(`delete from atlas_log.queue ${HOLDS}`, [queue, id, lease]);
  return rowCount > 0;
}

/** Gives work back that nobody did after all: it is due now, and the try does not count. */
export const release = (db: Queryable, held: Held): Promise<boolean> =>
  change(db, held, "lease = null, holder = null, due_at = now(), tries = tries - 1");

/** Takes note why a try came to nothing, and when the next one is; it counts unless told. */
export const retryLater = (
  db: Queryable,
  held: Held,
  { error, pauseMs, counts = true }: { error: string; pauseMs: number; counts?: boolean },
): Promise<boolean> =>
  change(db, held, `lease = null, holder = null, last_error = $4, due_at = ${AHEAD(5)}, tries = tries - $6`, [
    error,
    pauseMs,
    counts ? 0 : 1,
  ]);

/** Takes note that work was tried for the last time; it stays, as `failed`. */
export const giveUp = (db: Queryable, held: Held, error: string): Promise<boolean> =>
  change(db, held, "status = 'failed', closed_at = now(), lease = null, holder = null, last_error = $4", [
    error,
  ]);

/** Makes due what processes of this host held that are gone: nobody has to wait for their leases. Their tries count. */
export async function releaseGone(db: Queryable, queue: string): Promise<void> {
  const { rows } = await db.query<{ holder: string }>(
    "select distinct holder from atlas_log.queue where queue = $1 and status = 'waiting' and holder is not null",
    [queue],
  );
  const gone = rows.map(({ holder }) => holder).filter(isGone);
  if (gone.length === 0) return;
  await db.query(
    `update atlas_log.queue set lease = null, holder = null, due_at = least(due_at, now())
      where queue = $1 and holder = any($2) and status = 'waiting'`,
    [queue, gone],
  );
}
