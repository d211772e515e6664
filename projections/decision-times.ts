import type { Queryable } from "../database/database.ts";
import type { Micros, ReviewDecided, Uuid } from "../schemas/generated/events.ts";

/** When somebody last decided on each of these sessions, by the times of the decisions; sessions without one are missing. */
export async function decisionTimes(db: Queryable, sessionIds: readonly Uuid[]): Promise<Map<Uuid, Micros>> {
  const { rows } = await db.query<{ session: Uuid; event: string }>(
    `select session_uuid::text as session, event from session_facts
      where session_uuid = any($1::uuid[]) and type = 'ReviewDecided'`,
    [sessionIds],
  );
  const times = new Map<Uuid, Micros>();
  for (const { session, event } of rows) {
    const { meta } = JSON.parse(event) as ReviewDecided;
    times.set(session, Math.max(meta.occurred_at, times.get(session) ?? 0));
  }
  return times;
}

/** What time it is by the database's clock. */
export async function databaseTime(db: Queryable): Promise<Micros> {
  const { rows } = await db.query<{ now: number }>(
    "select floor(extract(epoch from clock_timestamp()) * 1000000)::float8 as now",
  );
  return rows[0]!.now;
}
