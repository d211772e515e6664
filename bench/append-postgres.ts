import { join } from "node:path";
import type { Database } from "../database/database.ts";
import { openEmbedded } from "../database/embedded/open-embedded.ts";
import type { OutgoingRecord } from "../log/event-log.ts";
import { toOutgoing } from "../log/outgoing.ts";
import { openPostgresLog } from "../log/postgres/open-postgres-log.ts";
import type { BenchContext, Benchmark, Figure } from "./benchmark.ts";
import { inTurns, rateOf } from "./rounds.ts";
import { inBatches, madeUpSessions } from "./sessions.ts";
import { createDatabase, eventsOf } from "./stores.ts";

const BATCH = 500;
const EVENTS = 10_000;

/** Gives each record the offset that it would have, going on from those before. */
class RawTable {
  private readonly db: Database;
  private readonly ends = new Map<string, number>();

  constructor(db: Database) {
    this.db = db;
  }

  async insert(records: readonly OutgoingRecord[]): Promise<void> {
    const offsets = records.map(({ topic, partition }) => {
      const place = `${topic}/${partition}`;
      const offset = this.ends.get(place) ?? 0;
      this.ends.set(place, offset + 1);
      return offset;
    });
    await this.db.query(
      `insert into bench_events select * from
         unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::bigint[])`,
      [
        records.map(({ topic }) => topic),
        records.map(({ partition }) => partition),
        offsets,
        records.map(({ key }) => key),
        records.map(({ fingerprint }) => fingerprint),
        records.map(({ body }) => body),
        records.map(() => Date.now() * 1000),
      ],
    );
  }
}

async function measure(
  context: BenchContext,
  what: string,
  db: Database,
  embedded: boolean,
): Promise<Figure> {
  const log = await openPostgresLog({ db, embedded });
  try {
    await db.query("create table bench_events (like atlas_log.events including all)");
    const raw = new RawTable(db);
    const sessions = madeUpSessions(Math.ceil(EVENTS / context.events), context.events);
    const batches = [...inBatches(eventsOf(sessions), BATCH)];
    const count = batches.flat().length;
    const rows = batches.map((batch) => toOutgoing(batch.map(log.mask), log.partitions));
    return await inTurns(
      context.rounds,
      {
        benchmark: appendPostgres.name,
        what,
        unit: "events/s",
        beside: "UNNEST insert of the same rows",
      },
      {
        ours: () =>
          rateOf(count, async () => {
            for (const batch of batches) await log.append(batch.map(log.mask));
          }),
        ceiling: () =>
          rateOf(count, async () => {
            for (const batch of rows) await raw.insert(batch);
          }),
      },
    );
  } finally {
    await log.close();
    await db.close();
  }
}

/** Appending to the embedded log and to a Postgres server, beside inserting the same rows that lie ready. */
export const appendPostgres: Benchmark = {
  name: "append-postgres",
  needs: { postgres: true },
  async run(context: BenchContext): Promise<Figure[]> {
    return [
      await measure(
        context,
        `embedded, batches of ${BATCH}`,
        await openEmbedded(join(context.folder, "append")),
        true,
      ),
      await measure(context, `server, batches of ${BATCH}`, await createDatabase(context), false),
    ];
  },
};
