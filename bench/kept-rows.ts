/**
 * How much the tables of consumers keep of sessions that are over, for ever: all groups of a worker together, the log
 * itself and the read models left out. One batch of sessions comes first, so that what is kept of a learning key, of a
 * group or of a partition is there already.
 *
 *     node bench/kept-rows.ts [--sessions 1000] [--events 16]
 */
import { parseArgs } from "node:util";
import type { Database } from "../database/database.ts";
import { startServices } from "../tests/services/services.ts";
import { madeUpSessions } from "./sessions.ts";
import { fill, openStoreAt } from "./stores.ts";

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "1000" },
    events: { type: "string", default: "16" },
  },
});
const sessions = Number(values.sessions);

interface Kept {
  rows: number;
  bytes: number;
}

/** Rows and their bytes, by table; what counts for groups and not for sessions stands still between two looks. */
async function keptIn(db: Database): Promise<Map<string, Kept>> {
  const { rows: tables } = await db.query<{ name: string }>(
    `select relname as name from pg_class
      where relnamespace = 'atlas_log'::regnamespace and relkind = 'r' and relname not like 'events%' order by 1`,
  );
  const kept = new Map<string, Kept>();
  for (const { name } of tables) {
    const { rows } = await db.query<Kept>(
      `select count(*)::int as rows, coalesce(sum(pg_column_size(t)), 0)::float8 as bytes from atlas_log.${name} t`,
    );
    kept.set(name, rows[0]!);
  }
  return kept;
}

const services = await startServices({ postgres: true });
try {
  const store = await openStoreAt(services);
  try {
    const made = madeUpSessions(2 * sessions, Number(values.events));
    const looks: Map<string, Kept>[] = [];
    for (const _ of ["first", "second"]) {
      await fill(
        store,
        Array.from({ length: sessions }, () => made.next().value!),
      );
      looks.push(await keptIn(store.db));
    }
    const [before, after] = looks as [Map<string, Kept>, Map<string, Kept>];
    let total = 0;
    for (const [name, { rows, bytes }] of after) {
      const more = { rows: rows - before.get(name)!.rows, bytes: bytes - before.get(name)!.bytes };
      if (more.rows === 0) continue;
      total += more.rows;
      const each = (more.rows / sessions).toFixed(2);
      console.log(`${name.padEnd(14)} ${each} rows  ${(more.bytes / more.rows).toFixed(0)} bytes a row`);
    }
    console.log(
      `all tables     ${(total / sessions).toFixed(2)} rows for each of ${sessions} closed sessions`,
    );
  } finally {
    await store.close();
  }
} finally {
  await services.stop();
}
