import type { Queryable } from "../database/database.ts";
import type { Uuid } from "../schemas/generated/events.ts";
import { isUuid } from "../schemas/identity.ts";

/** Says whether a text is a session id as Postgres writes it. */
export const isSessionId = (text: string | null | undefined): text is Uuid =>
  text != null && isUuid(text) && text === text.toLowerCase();

/** The session that some readers know by an integer. */
export async function sessionOfInteger(db: Queryable, id: number): Promise<Uuid | undefined> {
  const { rows } = await db.query<{ uuid: Uuid }>(
    "select session_uuid::text as uuid from atlas_log.session_ids where id = $1::bigint",
    [id],
  );
  return rows[0]?.uuid;
}

/**
 * Locks sessions until the transaction ends, and gives each the integer that it keeps for ever.
 *
 * What is said of one session reaches the read models through up to two assignments, in two transactions that may run
 * at once in two processes. Both come through here first, in the order of the ids: so the second one sees all that
 * the first one wrote, and no two of them wait for each other.
 */
export async function lockSessions(tx: Queryable, sessions: readonly Uuid[]): Promise<Map<Uuid, number>> {
  if (sessions.length === 0) return new Map();
  // An update that never happens still locks the row. Ids that are there are given, so that none is used up.
  await tx.query(
    `insert into atlas_log.session_ids as m (session_uuid, id)
     select wanted.uuid, coalesce(known.id, nextval('atlas_log.session_id_sequence')::int)
       from unnest($1::uuid[]) as wanted(uuid)
       left join atlas_log.session_ids known on known.session_uuid = wanted.uuid
      order by wanted.uuid
     on conflict (session_uuid) do update set id = m.id where false`,
    [sessions],
  );
  const { rows } = await tx.query<{ uuid: Uuid; id: number }>(
    "select session_uuid::text as uuid, id from atlas_log.session_ids where session_uuid = any($1::uuid[])",
    [sessions],
  );
  return new Map(rows.map(({ uuid, id }) => [uuid, id]));
}
