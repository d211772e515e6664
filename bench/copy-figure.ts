import pg from "pg";
import type { BenchContext, Figure } from "./benchmark.ts";
import { copyRowsOf, insertByCopy } from "./copy-rows.ts";
import type { FilledStores } from "./filled-stores.ts";
import { inEmptySchema, insertRaw, type TableRows } from "./raw-rows.ts";
import { inTurns, rateOf } from "./rounds.ts";

/** What COPY would make of the rows, beside the UNNEST inserts that ours are held against: how far above these one can get. */
export async function copyFigure(
  context: BenchContext,
  benchmark: string,
  { postgres: { db, url }, events }: FilledStores,
  rows: readonly TableRows[],
): Promise<Figure> {
  context.note("copying the rows");
  const ready = copyRowsOf(rows);
  const client = new pg.Client(url);
  await client.connect();
  const about = {
    benchmark,
    what: "the rows of as many, by COPY",
    unit: "events/s",
    beside: "UNNEST insert of the same rows",
  } as const;
  try {
    return await inTurns(context.rounds, about, {
      ours: () => inEmptySchema(db, (schema) => rateOf(events, () => insertByCopy(client, schema, ready))),
      ceiling: () => inEmptySchema(db, (schema) => rateOf(events, () => insertRaw(db, schema, rows))),
    });
  } finally {
    await client.end();
  }
}
