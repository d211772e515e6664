import type { Database } from "../../database/database.ts";
import type { Refilling } from "../event-log.ts";
import { appendRecords, readBatch, readEnds } from "./event-store.ts";

/** Fills partitions of a log on Postgres anew, from offset 0 on, in the caller's transaction. */
export const postgresRefilling = (db: Database): Refilling => ({
  begins: async () => [],
  async damaged(topic) {
    const { rows } = await db.query<{ partition: number }>(
      `select partition from atlas_log.partitions p
        where topic = $1 and next_offset <> (
              select count(*) from atlas_log.events e
               where e.topic = p.topic and e.partition = p.partition and e."offset" < p.next_offset)
        order by partition`,
      [topic],
    );
    return rows.map(({ partition }) => partition);
  },
  async *left(tx, { topic, partition }) {
    for (let next = 0; ; ) {
      const batch = await readBatch(tx, topic, partition, next, Number.MAX_SAFE_INTEGER);
      if (batch.length === 0) return;
      yield batch;
      next = batch.at(-1)!.offset + 1;
    }
  },
  async refill(tx, { topic, partition }, records) {
    const place = [topic, partition];
    // Whoever appends waits for this row.
    const { rows } = await tx.query<{ end: number }>(
      `update atlas_log.partitions p set next_offset = 0 from atlas_log.partitions before
        where p.topic = $1 and p.partition = $2 and (before.topic, before.partition) = (p.topic, p.partition)
       returning before.next_offset::float8 as end`,
      place,
    );
    await tx.query("delete from atlas_log.events where topic = $1 and partition = $2", place);
    for await (const batch of records) await appendRecords(tx, batch);
    const until = (await readEnds(tx, [topic])).get(topic)?.[partition] ?? 0;
    return { from: 0, until, endBefore: rows[0]?.end ?? 0 };
  },
});
