import type { Queryable } from "../../database/database.ts";
import type { Topic } from "../../schemas/topics.ts";

/** Names one partition of one topic. */
export type Place = `${Topic}[${number}]`;

/** The next offset of each partition of each topic; absent for 0. */
export type Positions = Map<Place, number>;

/** @example placeOf("atlas.sessions", 3); // "atlas.sessions[3]" */
export const placeOf = (topic: Topic, partition: number): Place => `${topic}[${partition}]`;

/** How far a group has applied one partition of a topic. */
export interface AppliedTo {
  topic: Topic;
  partition: number;
  /** The next offset to apply. */
  nextOffset: number;
}

/** How far a group has read the log, in the order of topics and partitions. */
export async function appliedBy(db: Queryable, group: string): Promise<AppliedTo[]> {
  const { rows } = await db.query<AppliedTo>(
    `select topic, partition, next_offset::float8 as "nextOffset" from atlas_log.checkpoints
      where group_id = $1 order by topic, partition`,
    [group],
  );
  return rows;
}

/** How far a group has read the log, by place. */
export const positionsOf = async (db: Queryable, group: string): Promise<Positions> =>
  new Map(
    (await appliedBy(db, group)).map(({ topic, partition, nextOffset }) => [
      placeOf(topic, partition),
      nextOffset,
    ]),
  );

/** The topics that a group has applied records of. */
export async function topicsRead(db: Queryable, group: string): Promise<Topic[]> {
  const { rows } = await db.query<{ topic: Topic }>(
    "select distinct topic from atlas_log.checkpoints where group_id = $1",
    [group],
  );
  return rows.map(({ topic }) => topic);
}
