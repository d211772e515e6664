import type { Ends, EventLog, LogRecord, Position } from "../../log/event-log.ts";
import type { Topic } from "../../schemas/topics.ts";

/** Tells news from what was in the log when a sink began to read it. */
export type Starts = ReadonlyMap<Topic, readonly number[]>;

/**
 * Where a group began: the ends of its topics when it first ran on this database, whoever ran it then.
 *
 * @param log with a database in which the tables of the sinks are
 */
export async function startsOf(log: EventLog, group: string, topics: readonly Topic[]): Promise<Starts> {
  const db = log.db!;
  const read = async (): Promise<Map<Topic, number[]>> => {
    const { rows } = await db.query<Position & { first_offset: number }>(
      "select topic, partition, first_offset::float8 as first_offset from atlas_log.sink_starts where group_id = $1",
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
    `insert into atlas_log.sink_starts (group_id, topic, partition, first_offset)
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

/** Why a fact is not told. */
export type Silence = "history" | "branch" | "revision" | "age";

/**
 * Why nobody is told about a fact, or undefined where it is news: it reached the log after the sink began, on the
 * live topics, as the first result of its derivation, and no longer than this after it happened. Takes the log's
 * clock, not this machine's, so that the answer is the same whenever it is asked.
 *
 * @param maxAgeHours between what happened and its reaching the log
 */
export function silenceOf(record: LogRecord, starts: Starts, maxAgeHours: number): Silence | undefined {
  const { topic, partition, offset, appendedAt, event } = record;
  const { derivation, occurred_at } = event.meta;
  if (offset < (starts.get(topic)?.[partition] ?? 0)) return "history";
  if (derivation?.branch != null) return "branch";
  if ((derivation?.revision ?? 0) > 0) return "revision";
  if (appendedAt - occurred_at > maxAgeHours * 3_600_000_000) return "age";
  return undefined;
}
