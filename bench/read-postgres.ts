import type { Database } from "../database/database.ts";
import type { EventLog } from "../log/event-log.ts";
import type { BenchContext, Benchmark, Figure } from "./benchmark.ts";
import { rawDecode } from "./raw-decode.ts";
import { inTurns, rateOf } from "./rounds.ts";
import { inBatches, madeUpSessions } from "./sessions.ts";
import { eventsOf, postgresStore } from "./stores.ts";

const TOPIC = "atlas.sessions";

/** Whole partitions at once: no paging, no bound on memory. */
async function readRaw(db: Database, log: EventLog): Promise<void> {
  for (let partition = 0; partition < log.partitions; partition += 1) {
    const { rows } = await db.query<{ fingerprint: string; body: Buffer }>(
      `select "offset", key, fingerprint, body, appended_at from atlas_log.events
        where topic = $1 and partition = $2 order by "offset"`,
      [TOPIC, partition],
    );
    for (const { fingerprint, body } of rows) rawDecode(fingerprint, body);
  }
}

/** Reading a range of a Postgres log, beside selecting the same rows and decoding them with avsc. */
export const readPostgres: Benchmark = {
  name: "read-postgres",
  needs: { postgres: true },
  async run(context: BenchContext): Promise<Figure[]> {
    const { log, db, close } = await postgresStore(context);
    try {
      const sessions = [...madeUpSessions(context.sessions, context.events)];
      for (const batch of inBatches(eventsOf(sessions), 500)) await log.append(batch.map(log.mask));
      const count = sessions.flat().length;
      const figure = await inTurns(
        context.rounds,
        {
          benchmark: readPostgres.name,
          what: `${count.toLocaleString("en-US")} events`,
          unit: "events/s",
          beside: "select of whole partitions and avsc decode",
        },
        {
          ours: () =>
            rateOf(count, async () => {
              for await (const _ of log.read([TOPIC]));
            }),
          ceiling: () => rateOf(count, () => readRaw(db, log)),
        },
      );
      return [figure];
    } finally {
      await close();
    }
  },
};
