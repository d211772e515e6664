import type { Queryable } from "../database/database.ts";
import type { Uuid } from "../schemas/generated/events.ts";
import { type GroupLimits, groupsOf } from "./groups.ts";
import { conditionOf, type SessionPage } from "./session-filters.ts";

/** Where a session stands in the order of reading, and how much is stored of it. */
export interface SessionKey {
  id: number;
  sessionId: Uuid;
  size: number;
}

interface KeyRow extends SessionKey {
  created: string;
}

const PAGE = 500;

/**
 * The sessions that pass the filters, newest first, in groups of limited number and content. Each
 * page of keys begins where the last one ended, so however deep, it costs the same.
 */
export async function* sessionKeys(
  db: Queryable,
  filters: SessionPage,
  limits: GroupLimits,
): AsyncGenerator<SessionKey[]> {
  const { where, params } = conditionOf(filters);
  const at = params.length;
  // The first condition is one that an index begins at; the second decides among sessions of the same moment.
  const behind = `and s.created_at <= $${at + 3}::timestamptz
              and (s.created_at < $${at + 3}::timestamptz or s.session_uuid > $${at + 4}::uuid)`;
  let left = filters.limit ?? Number.POSITIVE_INFINITY;
  let offset = filters.offset ?? 0;
  let last: KeyRow | undefined;
  while (left > 0) {
    const page = Math.min(PAGE, left);
    const { rows } = await db.query<KeyRow>(
      `select s.id, s.session_uuid::text as "sessionId", s.size::float8 as size, s.created_at::text as created
         from sessions s
        where ${where} ${last === undefined ? "" : behind}
        order by s.created_at desc, s.session_uuid limit $${at + 1}::int offset $${at + 2}::int`,
      [...params, page, offset, ...(last === undefined ? [] : [last.created, last.sessionId])],
    );
    yield* groupsOf(rows, ({ size }) => size, limits);
    if (rows.length < page) return;
    last = rows.at(-1);
    left -= rows.length;
    offset = 0;
  }
}
