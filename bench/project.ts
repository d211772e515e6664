import type { BenchContext, Benchmark, Figure } from "./benchmark.ts";
import { copyFigure } from "./copy-figure.ts";
import { filledStores, project } from "./filled-stores.ts";
import { inEmptySchema, insertRaw, readRows } from "./raw-rows.ts";
import { inTurns, rateOf } from "./rounds.ts";

/** Consuming a log into read models, beside inserting the rows that come out into the same tables. */
export const projectLog: Benchmark = {
  name: "project",
  needs: { kafka: true, postgres: true },
  async run(context: BenchContext): Promise<Figure[]> {
    const stores = await filledStores(context);
    const { postgres, kafka, events, close } = stores;
    try {
      const figures: Figure[] = [];
      const rows = await readRows(postgres.db);
      for (const store of [kafka, postgres]) {
        context.note(`projecting ${events} events from ${store.log.kind}`);
        const about = {
          benchmark: projectLog.name,
          what: `${events.toLocaleString("en-US")} events from ${store === kafka ? "Kafka" : "Postgres"}`,
          unit: "events/s",
          beside: "UNNEST insert of the same rows",
        } as const;
        figures.push(
          await inTurns(context.rounds, about, {
            ours: () =>
              inEmptySchema(
                store.db,
                async (schema) => (events / (await project(store, schema, schema))) * 1000,
              ),
            ceiling: () =>
              inEmptySchema(store.db, (schema) => rateOf(events, () => insertRaw(store.db, schema, rows))),
          }),
        );
      }
      figures.push(await copyFigure(context, projectLog.name, stores, rows));
      return figures;
    } finally {
      await close();
    }
  },
};
