import type { Database } from "../../database/database.ts";
import type { Topic } from "../../schemas/topics.ts";

/**
 * Whether each of these groups has applied all that a log on Postgres holds, and has nothing left to publish. One
 * statement, and so one moment: nothing can come between. A checkpoint beyond the end, of a log that is not the one that
 * was read before, is no such moment.
 */
export async function hasNothingToApply(
  db: Database,
  groups: readonly { group: string; topics: readonly Topic[] }[],
): Promise<boolean> {
  const read = groups.flatMap(({ group, topics }) => topics.map((topic) => ({ group, topic })));
  const { rows } = await db.query<{ nothing: boolean }>(
    `select not exists (
              select from unnest($1::text[], $2::text[]) as reads (group_id, topic)
                join atlas_log.partitions p using (topic)
                left join atlas_log.checkpoints c using (group_id, topic, partition)
               where p.next_offset <> coalesce(c.next_offset, 0))
        and not exists (select from atlas_log.outbox where group_id = any($1)) as nothing`,
    [read.map(({ group }) => group), read.map(({ topic }) => topic)],
  );
  return rows[0]?.nothing === true;
}
