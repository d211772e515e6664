import type { Database, Queryable } from "../../database/database.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import type { Alert } from "./alert.ts";

/** A delivery that is due, taken by this process until its time is up. */
export interface DueDelivery {
  /** The idempotency key. */
  id: string;
  body: string;
  /** This one included. */
  attempts: number;
}

/** One alert on its way to one destination. */
export interface Delivery {
  id: string;
  destination: string;
  kind: string;
  status: "pending" | "delivered" | "failed";
  sessionId: string | null;
  learningKey: string;
  attempts: number;
  createdAt: Date;
  dueAt: Date;
  lastError: string | null;
}

/** An alert with the bytes that are sent. */
export interface Outgoing {
  alert: Alert;
  body: string;
}

/** Keeps alerts until they are delivered, in the unit of work that read what raised them. */
export async function keepDeliveries(tx: Queryable, outgoing: readonly Outgoing[]): Promise<void> {
  if (outgoing.length === 0) return;
  const alerts = outgoing.map(({ alert }) => alert);
  await tx.query(
    `insert into atlas_log.alert_deliveries (id, destination, kind, event_id, session_id, learning_key, body)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[])
     on conflict do nothing`,
    [
      alerts.map((alert) => alert.idempotency_key),
      alerts.map((alert) => alert.destination),
      alerts.map((alert) => alert.kind),
      alerts.map((alert) => alert.event_id),
      alerts.map((alert) => alert.session_id),
      alerts.map((alert) => alert.learning_key),
      outgoing.map(({ body }) => body),
    ],
  );
}

/** Forgets what is kept of sessions, delivered or not. */
export async function dropDeliveries(tx: Queryable, sessions: readonly Uuid[]): Promise<void> {
  if (sessions.length === 0) return;
  await tx.query("delete from atlas_log.alert_deliveries where session_id = any($1::uuid[])", [sessions]);
}

/**
 * Takes the next delivery of a destination that is due. Nobody else takes it before `leaseMs` are over; if this
 * process dies meanwhile, somebody does then.
 */
export async function takeDue(
  db: Database,
  destination: string,
  leaseMs: number,
): Promise<DueDelivery | undefined> {
  const { rows } = await db.query<DueDelivery>(
    `update atlas_log.alert_deliveries d
        set attempts = d.attempts + 1, due_at = now() + $2 * interval '1 millisecond'
      where d.id = (select id from atlas_log.alert_deliveries
                     where status = 'pending' and destination = $1 and due_at <= now()
                     order by due_at, created_at, id limit 1 for update skip locked)
     returning id, body, attempts`,
    [destination, leaseMs],
  );
  return rows[0];
}

/** Takes note that a delivery arrived. */
export async function closeDelivered(db: Database, id: string): Promise<void> {
  await db.query(
    `update atlas_log.alert_deliveries set status = 'delivered', closed_at = now(), last_error = null
      where id = $1`,
    [id],
  );
}

/** Takes note that an attempt failed; with no pause it was the last one. Another one since then counts for more. */
export async function noteFailure(
  db: Database,
  { id, attempts }: DueDelivery,
  error: string,
  pauseMs: number | undefined,
): Promise<void> {
  await db.query(
    `update atlas_log.alert_deliveries
        set last_error = $3,
            status = case when $4::float8 is null then 'failed' else 'pending' end,
            closed_at = case when $4::float8 is null then now() end,
            due_at = now() + coalesce($4::float8, 0) * interval '1 millisecond'
      where id = $1 and attempts = $2 and status = 'pending'`,
    [id, attempts, error, pauseMs ?? null],
  );
}

/** Forgets what was delivered long ago. */
export async function forgetDelivered(db: Database, days = 30): Promise<void> {
  await db.query(
    `delete from atlas_log.alert_deliveries
      where status = 'delivered' and closed_at < now() - $1 * interval '1 day'`,
    [days],
  );
}

/** Deliveries, the newest first. */
export async function listDeliveries(
  db: Database,
  { statuses, limit }: { statuses: readonly Delivery["status"][]; limit: number },
): Promise<Delivery[]> {
  const { rows } = await db.query<Delivery>(
    `select id, destination, kind, status, session_id::text as "sessionId", learning_key as "learningKey", attempts,
            created_at as "createdAt", due_at as "dueAt", last_error as "lastError"
       from atlas_log.alert_deliveries where status = any($1) order by created_at desc, id limit $2`,
    [statuses, limit],
  );
  return rows;
}

/**
 * Makes failed deliveries due again, with all their attempts before them.
 *
 * @param destination of this destination only
 * @returns how many
 */
export async function retryFailed(db: Database, destination?: string): Promise<number> {
  const { rowCount } = await db.query(
    `update atlas_log.alert_deliveries set status = 'pending', attempts = 0, due_at = now(), closed_at = null
      where status = 'failed' and destination = coalesce($1, destination)`,
    [destination ?? null],
  );
  return rowCount;
}

/** How many deliveries of a destination wait or have failed. */
export interface OpenDeliveries {
  destination: string;
  status: "pending" | "failed";
  count: number;
}

/** Deliveries that are not done, by destination. */
export async function countOpen(db: Queryable): Promise<OpenDeliveries[]> {
  const { rows } = await db.query<OpenDeliveries>(
    `select destination, status, count(*)::int as count from atlas_log.alert_deliveries
      where status <> 'delivered' group by destination, status`,
  );
  return rows;
}
