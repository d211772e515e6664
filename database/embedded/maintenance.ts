import type { Session } from "./session.ts";
import { query, rowsOf } from "./wire-messages.ts";

/*
 * PGlite has no background processes: without this, the write-ahead log would grow until the database is closed, dead
 * rows would never be reused and the planner would know nothing about any table.
 */

/** How much clients send, in bytes and statements, before it is worth looking. */
const LOOK_AFTER_BYTES = 4 * 1024 * 1024;
const LOOK_AFTER_UNITS = 1000;
/** How much of the write-ahead log may have to be replayed after a crash. */
const CHECKPOINT_BYTES = 32 * 1024 * 1024;

const WAL_SINCE_CHECKPOINT =
  "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::bigint from pg_control_checkpoint()";

/** Tables that grew by half, and by half a megabyte, since they were last vacuumed: rarer the larger they are. */
const GROWN_TABLES = `select oid::regclass::text from pg_class
  where relkind in ('r', 'm') and relpersistence = 'p' and relnamespace <> 'pg_catalog'::regnamespace
    and pg_relation_size(oid) / 8192 > 64 + 1.5 * relpages`;

/** What a server is to do between transactions. */
export function maintenanceOf(session: Session): (bytes: number) => Promise<void> {
  let bytes = 0;
  let units = 0;
  const ask = async (sql: string): Promise<string[][]> =>
    rowsOf(Buffer.concat(await session.run(query(sql))));

  return async (received) => {
    bytes += received;
    units += 1;
    if (bytes < LOOK_AFTER_BYTES && units < LOOK_AFTER_UNITS) return;
    bytes = 0;
    units = 0;
    for (const [table] of await ask(GROWN_TABLES)) await ask(`vacuum (analyze) ${table}`);
    if (Number((await ask(WAL_SINCE_CHECKPOINT))[0]?.[0]) > CHECKPOINT_BYTES) await ask("checkpoint");
  };
}
