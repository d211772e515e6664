import type { Queryable } from "../../database/database.ts";
import type { DeadLettered, DeadLetterRetried, Uuid } from "../../schemas/generated/events.ts";
import { isUuid } from "../../schemas/identity.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { DeadLetter } from "../dead-letters.ts";
import type { AssignmentKey } from "./assignment-store.ts";

/**
 * Keeps records that some consumer could not apply, with their bytes.
 *
 * @param letters with texts that Postgres can store
 */
export async function saveDeadLetters(tx: Queryable, letters: readonly DeadLettered[]): Promise<void> {
  for (const { meta, group, topic, partition, offset, error_code, error, fingerprint, body } of letters) {
    await tx.query(
      `insert into atlas_log.dead_letters
         (event_id, session_uuid, group_id, topic, partition, "offset", error_code, error, fingerprint, body, occurred_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, to_timestamp($11::float8 / 1000000)) on conflict do nothing`,
      [
        meta.event_id,
        meta.session_id != null && isUuid(meta.session_id) ? meta.session_id : null,
        group,
        topic,
        partition,
        offset,
        error_code,
        error,
        fingerprint,
        body,
        meta.occurred_at,
      ],
    );
  }
}

/** Notes that records which some consumer could not apply were applied after all. */
export async function noteRetried(tx: Queryable, retried: readonly DeadLetterRetried[]): Promise<void> {
  for (const { meta, group, topic, partition, offset } of retried) {
    await tx.query(
      `update atlas_log.dead_letters
          set retried_at = coalesce(retried_at, to_timestamp($5::float8 / 1000000)), body = ''
        where group_id = $1 and topic = $2 and partition = $3 and "offset" = $4`,
      [group, topic, partition, offset, meta.occurred_at],
    );
  }
}

/** Makes this retry of a letter the one that counts: false where another one was first. */
export async function claimDeadLetter(tx: Queryable, letter: DeadLetter): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into atlas_log.dead_letters as known
       (event_id, session_uuid, group_id, topic, partition, "offset", error_code, error, fingerprint, body, occurred_at, retried_at)
     values ($1, $2, $3, $4, $5, $6, $7, '', '', '', $8, now())
     on conflict (event_id) do update set retried_at = now() where known.retried_at is null`,
    [
      letter.id,
      letter.sessionId,
      letter.group,
      letter.topic,
      letter.partition,
      letter.offset,
      letter.errorCode,
      letter.at.toISOString(),
    ],
  );
  return rowCount > 0;
}

/** Forgets the letters of sessions that were erased. */
export async function forgetDeadLetters(tx: Queryable, sessions: readonly Uuid[]): Promise<void> {
  await tx.query("delete from atlas_log.dead_letters where session_uuid = any($1::uuid[])", [sessions]);
}

/** Offsets of the records that a group refused, and that nobody has retried with success. */
export async function offsetsSetAside(
  tx: Queryable,
  { group, partition }: AssignmentKey,
  topic: Topic,
): Promise<Set<number>> {
  const { rows } = await tx.query<{ offset: number }>(
    `select "offset"::float8 as offset from atlas_log.dead_letters
      where group_id = $1 and topic = $2 and partition = $3 and retried_at is null`,
    [group, topic, partition],
  );
  return new Set(rows.map(({ offset }) => offset));
}

/** How many letters wait, by group. */
export async function countDeadLetters(db: Queryable): Promise<{ group: string; count: number }[]> {
  const { rows } = await db.query<{ group: string; count: number }>(
    `select group_id as "group", count(*)::int as count from atlas_log.dead_letters
      where retried_at is null group by group_id`,
  );
  return rows;
}
