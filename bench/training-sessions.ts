import type { Database } from "../database/database.ts";
import { getTrainingSessions, streamTrainingSessions } from "../projections/training-data.ts";
import type { BenchContext, Benchmark, Figure } from "./benchmark.ts";
import { inTurns, rateOf } from "./rounds.ts";
import { madeUpSessions } from "./sessions.ts";
import { fill, postgresStore } from "./stores.ts";

const PAGE = 100;
/** Calls of one measured page size. */
const CALLS = 5;
const ALL = "all";

/** Sessions and their events with two statements, as far as node-postgres takes them. */
async function selectRaw(db: Database, offset: number): Promise<number> {
  const { rows: sessions } = await db.query<{ id: number }>(
    "select * from sessions order by created_at desc, id desc limit $1 offset $2",
    [PAGE, offset],
  );
  await db.query(
    "select session_id, event from trajectory_events where session_id = any($1::int[]) order by session_id, id",
    [sessions.map(({ id }) => id)],
  );
  return sessions.length;
}

/** Reading whole sessions for training, beside plain selects of the rows that they are made of. */
export const trainingSessions: Benchmark = {
  name: "training-sessions",
  needs: { postgres: true },
  async run(context: BenchContext): Promise<Figure[]> {
    const { trainingSessions: count, events } = context;
    const store = await postgresStore(context);
    const { db, close } = store;
    try {
      context.note(`filling a log on Postgres with ${count} sessions`);
      await fill(store, madeUpSessions(count, events));
      await db.query("analyze");
      const perSession = await db.query<{ events: number }>(
        "select count(*)::float8 / $1::int as events from trajectory_events",
        [count],
      );
      const beside = "select of the same rows, JSON parsed";
      const about = { benchmark: trainingSessions.name, unit: "sessions/s", beside } as const;
      const pageFigure = (what: string, offset: number): Promise<Figure> =>
        inTurns(
          context.rounds,
          { ...about, what },
          {
            ours: () =>
              rateOf(CALLS * PAGE, async () => {
                for (let call = 0; call < CALLS; call += 1) {
                  await getTrainingSessions(db, { limit: PAGE, offset, reviewStatusFilters: ALL });
                }
              }),
            ceiling: () =>
              rateOf(CALLS * PAGE, async () => {
                for (let call = 0; call < CALLS; call += 1) await selectRaw(db, offset);
              }),
          },
        );
      const each = Math.round(perSession.rows[0]!.events);
      return [
        await pageFigure(`newest ${PAGE} of ${count}, ${each} events each`, 0),
        await pageFigure(`oldest ${PAGE} of ${count}, ${each} events each`, count - PAGE),
        await inTurns(
          context.rounds,
          { ...about, what: `all ${count}, streamed` },
          {
            ours: () =>
              rateOf(count, async () => {
                for await (const _ of streamTrainingSessions(db, { reviewStatusFilters: ALL }));
              }),
            ceiling: () =>
              rateOf(count, async () => {
                for (let offset = 0; offset < count; offset += PAGE) await selectRaw(db, offset);
              }),
          },
        ),
      ];
    } finally {
      await close();
    }
  },
};
