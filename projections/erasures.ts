import type { Queryable } from "../database/database.ts";
import { sessionOfInteger } from "../log/session-ids.ts";
import type { Uuid } from "../schemas/generated/events.ts";
import { isUuid } from "../schemas/identity.ts";

/** What stays of an erased session. */
export interface ErasedSession {
  sessionId: Uuid;
  erasedAt: Date;
}

interface Row {
  sessionId: Uuid;
  at: number;
}

/**
 * The tombstone of an erased session.
 *
 * @param text its UUID, or the integer that some readers knew it by
 */
export async function findErasure(db: Queryable, text: string): Promise<ErasedSession | undefined> {
  const named = text.trim().toLowerCase();
  const isInteger = /^[1-9]\d{0,9}$/.test(named);
  const uuid = isInteger ? await sessionOfInteger(db, Number(named)) : named;
  if (uuid === undefined || !isUuid(uuid)) return undefined;
  const { rows } = await db.query<Row>(
    `select f.session_uuid::text as "sessionId", (f.event::jsonb -> 'meta' ->> 'occurred_at')::float8 as at
       from session_facts f
      where f.type = 'SessionErased' and f.session_uuid = $1::uuid order by at limit 1`,
    [uuid],
  );
  const row = rows[0];
  return row && { sessionId: row.sessionId, erasedAt: new Date(row.at / 1000) };
}
