import type { Queryable } from "../../database/database.ts";
import { execute, inFull, type Schemas, statementsOf, TABLES } from "./catalog.ts";

/** Storage parameters, tablespaces, and what is set for single columns. */
const SETTINGS = `${TABLES},
  options as (
    select t.name, s.side, s.prefix || o.option_name as option, o.option_value as value
      from t, lateral (
        select 'live' as side, '' as prefix, reloptions from pg_class where oid = t.live
        union all select 'fresh', '', reloptions from pg_class where oid = t.fresh
        union all select 'live', 'toast.', reloptions from pg_class
                   where oid = (select reltoastrelid from pg_class where oid = t.live)
        union all select 'fresh', 'toast.', reloptions from pg_class
                   where oid = (select reltoastrelid from pg_class where oid = t.fresh)) s,
      lateral pg_options_to_table(s.reloptions) o)
  select format('alter table %I.%I set (%s = %L)', $2, name, option, value) as statement
    from options l
   where side = 'live' and not exists (select 1 from options f where f.side = 'fresh'
           and (f.name, f.option, f.value) = (l.name, l.option, l.value))
  union all
  select format('alter table %I.%I reset (%s)', $2, name, option)
    from options f
   where side = 'fresh' and not exists (select 1 from options l where l.side = 'live'
           and (l.name, l.option) = (f.name, f.option))
  union all
  select format('alter table %I.%I set tablespace %I', $2, t.name,
           coalesce((select spcname from pg_tablespace where oid = l.reltablespace), 'pg_default'))
    from t join pg_class l on l.oid = t.live join pg_class f on f.oid = t.fresh
   where l.reltablespace <> f.reltablespace
  union all
  select format('alter table %I.%I alter column %I %s', $2, t.name, l.attname, change)
    from t
    join pg_attribute l on l.attrelid = t.live and l.attnum > 0 and not l.attisdropped
    join pg_attribute f on f.attrelid = t.fresh and f.attname = l.attname
    cross join lateral (
      select format('set statistics %s', coalesce(l.attstattarget, -1)) as change
       where coalesce(l.attstattarget, -1) <> coalesce(f.attstattarget, -1)
      union all
      select format('set storage %s', case l.attstorage
               when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end)
       where l.attstorage <> f.attstorage
      union all
      select format('set compression %s', case to_jsonb(l) ->> 'attcompression'
               when 'p' then 'pglz' when 'l' then 'lz4' else 'default' end)
       where to_jsonb(l) ->> 'attcompression' <> to_jsonb(f) ->> 'attcompression'
      union all
      select format('set (%s)', (select string_agg(format('%s = %L', option_name, option_value), ', ')
                                   from pg_options_to_table(l.attoptions)))
       where l.attoptions is not null and l.attoptions is distinct from f.attoptions) changes`;

/** Indexes and constraints of the users', and ours that they changed; ours that they dropped come back. */
const INDEXES = `${TABLES},
  indexes as (
    select s.side, t.name as of, i.relname as name, i.reltablespace as space,
           replace(pg_get_indexdef(i.oid), format(' ON %I.%I USING ', s.schema, t.name),
                   format(' ON %I.%I USING ', $2, t.name)) as definition
      from t,
           lateral (values ('live', t.live, $1), ('fresh', t.fresh, $2)) s (side, oid, schema),
           pg_index x, pg_class i
     where x.indrelid = s.oid and i.oid = x.indexrelid
       and not exists (select 1 from pg_constraint c where c.conrelid = s.oid and c.conindid = i.oid)),
  constraints as (
    select s.side, t.name as of, c.conname as name, pg_get_constraintdef(c.oid) as definition
      from t, lateral (values ('live', t.live), ('fresh', t.fresh)) s (side, oid), pg_constraint c
     where c.conrelid = s.oid and c.contype in ('c', 'u', 'x'))
  select statement from (
    select 1 as place, format('drop index %I.%I', $2, f.name) as statement
      from indexes l join indexes f on f.side = 'fresh' and (f.of, f.name) = (l.of, l.name)
     where l.side = 'live' and l.definition <> f.definition
    union all
    select 2, l.definition
      from indexes l left join indexes f on f.side = 'fresh' and (f.of, f.name) = (l.of, l.name)
     where l.side = 'live' and l.definition is distinct from f.definition
    union all
    select 3, format('alter index %I.%I set tablespace %I', $2, l.name,
                coalesce((select spcname from pg_tablespace where oid = l.space), 'pg_default'))
      from indexes l left join indexes f on f.side = 'fresh' and (f.of, f.name) = (l.of, l.name)
     where l.side = 'live' and l.space <> coalesce(f.space, 0)
    union all
    select 4, format('alter table %I.%I drop constraint %I', $2, f.of, f.name)
      from constraints l join constraints f on f.side = 'fresh' and (f.of, f.name) = (l.of, l.name)
     where l.side = 'live' and l.definition <> f.definition
    union all
    select 5, format('alter table %I.%I add constraint %I %s', $2, l.of, l.name, l.definition)
      from constraints l left join constraints f on f.side = 'fresh' and (f.of, f.name) = (l.of, l.name)
     where l.side = 'live' and l.definition is distinct from f.definition) statements
   order by place`;

/** Gives the rebuilt tables the settings that users gave the live ones: best while they are empty. */
export async function carrySettings(tx: Queryable, schemas: Schemas): Promise<void> {
  await execute(tx, await statementsOf(tx, SETTINGS, schemas));
}

/**
 * Gives the rebuilt tables the indexes and constraints that users gave the live ones: best when they are full. What is
 * there already stays as it is.
 */
export async function carryIndexes(tx: Queryable, schemas: Schemas): Promise<void> {
  await execute(tx, await inFull(tx, () => statementsOf(tx, INDEXES, schemas)));
}
