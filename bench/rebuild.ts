import { rebuildReadModels } from "../projections/rebuild.ts";
import type { BenchContext, Benchmark, Figure } from "./benchmark.ts";
import { copyFigure } from "./copy-figure.ts";
import { filledStores } from "./filled-stores.ts";
import { inEmptySchema, insertRaw, readRows } from "./raw-rows.ts";
import { inTurns, rateOf } from "./rounds.ts";

/** Rebuilding the read models from a log, swap included, beside inserting the rows into the same tables. */
export const rebuildLog: Benchmark = {
  name: "rebuild",
  needs: { kafka: true, postgres: true },
  async run(context: BenchContext): Promise<Figure[]> {
    const stores = await filledStores(context);
    const { postgres, kafka, events, close } = stores;
    try {
      const figures: Figure[] = [];
      const rows = await readRows(postgres.db);
      for (const { log, db } of [kafka, postgres]) {
        context.note(`rebuilding from ${log.kind}`);
        const about = {
          benchmark: rebuildLog.name,
          what: `${events.toLocaleString("en-US")} events from ${log.kind === "kafka" ? "Kafka" : "Postgres"}`,
          unit: "events/s",
          beside: "UNNEST insert of the same rows",
        } as const;
        figures.push(
          await inTurns(context.rounds, about, {
            ours: () => rateOf(events, () => rebuildReadModels(db, log)),
            ceiling: () => inEmptySchema(db, (schema) => rateOf(events, () => insertRaw(db, schema, rows))),
          }),
        );
      }
      figures.push(await copyFigure(context, rebuildLog.name, stores, rows));
      return figures;
    } finally {
      await close();
    }
  },
};
