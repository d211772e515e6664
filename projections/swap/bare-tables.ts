import type { Queryable } from "../../database/database.ts";
import { REBUILT_TABLES } from "../tables.ts";
import { execute, inFull } from "./catalog.ts";

/** Foreign keys, and indexes that no constraint needs, each with what takes it off and what puts it back. */
const ATTACHED = `
  with t as (
    select oid, relname::text as name from pg_class
     where relkind = 'r' and relname = any($2::text[])
       and relnamespace = (select oid from pg_namespace where nspname = $1))
  select format('alter table %I.%I drop constraint %I', $1, t.name, c.conname) as off,
         format('alter table %I.%I add constraint %I %s', $1, t.name, c.conname, pg_get_constraintdef(c.oid)) as back
    from t join pg_constraint c on c.conrelid = t.oid where c.contype = 'f'
  union all
  select format('drop index %I.%I', $1, i.relname), pg_get_indexdef(i.oid)
    from t join pg_index x on x.indrelid = t.oid join pg_class i on i.oid = x.indexrelid
   where not exists (select 1 from pg_constraint c where c.conindid = i.oid)`;

/**
 * Takes off empty tables what costs more row by row than all at once: foreign keys, and indexes that nobody reads by
 * meanwhile. Deletes do not cascade until they are back.
 *
 * @returns puts everything back as it was, on tables that are full
 */
export async function bareTables(tx: Queryable, schema: string): Promise<(tx: Queryable) => Promise<void>> {
  const { rows } = await inFull(tx, () =>
    tx.query<{ off: string; back: string }>(ATTACHED, [schema, REBUILT_TABLES]),
  );
  await execute(
    tx,
    rows.map(({ off }) => off),
  );
  return async (later) => {
    await execute(
      later,
      rows.map(({ back }) => back),
    );
  };
}
