import type { Topic } from "../../schemas/topics.ts";
import type { Ends, EventLog, Position } from "../event-log.ts";

/** Where a group began to read, by topic and partition: tells news from history. */
export type Starts = ReadonlyMap<Topic, readonly number[]>;

/**
 * Where a group began: the ends of its topics when it first ran on this database, whoever ran it then.
 *
 * @param log with a database
 */
export async function startsOf(log: EventLog, group: string, topics: readonly Topic[]): Promise<Starts> {
  const db = log.db!;
  const read = async (): Promise<Map<Topic, number[]>> => {
    const { rows } = await db.query<Position & { first_offset: number }>(
      "select topic, partition, first_offset::float8 as first_offset from atlas_log.group_starts where group_id = $1",
      [group],
    );
    const starts = new Map<Topic, number[]>();
    for (const { topic, partition, first_offset } of rows) {
      const offsets = starts.get(topic) ?? [];
      offsets[partition] = first_offset;
      starts.set(topic, offsets);
    }
    return starts;
  };
  const kept = await read();
  if (topics.every((topic) => kept.has(topic))) return kept;
  const ends: Ends = await log.ends(topics);
  const places = [...ends].flatMap(([topic, offsets]) =>
    offsets.map((offset, partition) => ({ topic, partition, offset })),
  );
  // Of several members that start together, the first one's word counts for all.
  await db.query(
    `insert into atlas_log.group_starts (group_id, topic, partition, first_offset)
     select $1, s.* from unnest($2::text[], $3::int[], $4::bigint[]) as s on conflict do nothing`,
    [
      group,
      places.map(({ topic }) => topic),
      places.map(({ partition }) => partition),
      places.map(({ offset }) => offset),
    ],
  );
  return read();
}
