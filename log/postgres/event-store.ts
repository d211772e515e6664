import type { Queryable } from "../../database/database.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { OutgoingRecord, RawRecord, ReadRange } from "../event-log.ts";
import { columnsOf } from "../runner/assignment-store.ts";

/** Most bytes of bodies that one read brings into memory. */
const READ_BYTES = 4 * 1024 * 1024;
const READ_RECORDS = 500;

/** Appends in the caller's transaction, or in one of its own. */
export async function appendRecords(tx: Queryable, records: readonly OutgoingRecord[]): Promise<void> {
  await tx.query(
    "select atlas_log.append($1::text[], $2::int[], $3::text[], $4::text[], $5::bytea[])",
    columnsOf(records),
  );
}

/** The next offset of every partition of these topics. */
export async function readEnds(db: Queryable, topics: readonly Topic[]): Promise<Map<Topic, number[]>> {
  const { rows } = await db.query<{ topic: Topic; partition: number; end: number }>(
    `select topic, partition, next_offset::float8 as end from atlas_log.partitions where topic = any($1) order by topic, partition`,
    [topics],
  );
  const ends = new Map<Topic, number[]>(topics.map((topic) => [topic, []]));
  for (const row of rows) ends.get(row.topic)![row.partition] = row.end;
  return ends;
}

/** Records of one partition from an offset on, in order; as many as fit into one batch. */
export async function readBatch(
  db: Queryable,
  topic: Topic,
  partition: number,
  from: number,
  until: number,
  limit = READ_RECORDS,
): Promise<RawRecord[]> {
  const { rows } = await db.query<{
    offset: number;
    key: string;
    fingerprint: string;
    body: Buffer;
    appended_at: number;
  }>(
    `select "offset"::float8 as offset, key, fingerprint, body, appended_at::float8 as appended_at
       from (select *, sum(octet_length(body)) over (order by "offset") - octet_length(body) as before
               from atlas_log.events
              where topic = $1 and partition = $2 and "offset" >= $3 and "offset" < $4
              order by "offset" limit $5) as page
      where before < $6 order by "offset"`,
    [topic, partition, from, until, limit, READ_BYTES],
  );
  return rows.map((row) => ({
    topic,
    partition,
    offset: row.offset,
    key: row.key,
    appendedAt: row.appended_at,
    fingerprint: row.fingerprint === "" ? undefined : row.fingerprint,
    body: row.body,
  }));
}

/** The first offset that was appended at or after a time, by bisection: append times never decrease. */
async function offsetAt(
  db: Queryable,
  topic: Topic,
  partition: number,
  time: Date,
  end: number,
): Promise<number> {
  const micros = time.getTime() * 1000;
  let low = 0;
  let high = end;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const { rows } = await db.query<{ at: number }>(
      `select appended_at::float8 as at from atlas_log.events where topic = $1 and partition = $2 and "offset" = $3`,
      [topic, partition, middle],
    );
    if ((rows[0]?.at ?? Number.POSITIVE_INFINITY) < micros) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Turns a range into offsets of one partition, no further than its end. */
export async function boundsOf(
  db: Queryable,
  topic: Topic,
  partition: number,
  range: ReadRange,
  end: number,
): Promise<{ from: number; until: number }> {
  if ("from" in range || "until" in range) {
    const { from, until } = range as { from?: Date; until?: Date };
    return {
      from: from === undefined ? 0 : await offsetAt(db, topic, partition, from, end),
      until: until === undefined ? end : await offsetAt(db, topic, partition, until, end),
    };
  }
  const { fromOffset = 0, untilOffset = end } = range as { fromOffset?: number; untilOffset?: number };
  return { from: fromOffset, until: Math.min(untilOffset, end) };
}
