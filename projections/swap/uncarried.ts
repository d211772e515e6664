import type { Queryable } from "../../database/database.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { inFull, type Schemas, TABLES, valuesOf } from "./catalog.ts";

/** Views, foreign keys, functions and whatever else would go with the live tables, or keep them from going. */
const DEPENDENTS = `${TABLES},
  own as (
    select 'pg_class'::regclass as classid, live as objid from t
    union all select 'pg_class'::regclass, indexrelid from t join pg_index on indrelid = live
    union all select 'pg_type'::regclass, y.oid from t join pg_type y on y.typrelid = live
    union all select 'pg_type'::regclass, y.typarray from t join pg_type y on y.typrelid = live
    union all select 'pg_constraint'::regclass, c.oid from t join pg_constraint c on c.conrelid = live
    union all select 'pg_attrdef'::regclass, d.oid from t join pg_attrdef d on d.adrelid = live
    union all select 'pg_trigger'::regclass, g.oid from t join pg_trigger g on g.tgrelid = live
    union all select 'pg_policy'::regclass, p.oid from t join pg_policy p on p.polrelid = live
    union all select 'pg_rewrite'::regclass, r.oid from t join pg_rewrite r on r.ev_class = live
    union all select 'pg_publication_rel'::regclass, r.oid from t join pg_publication_rel r on r.prrelid = live
    union all select 'pg_statistic_ext'::regclass, s.oid from t join pg_statistic_ext s on s.stxrelid = live)
  select distinct case
           when d.classid = 'pg_rewrite'::regclass
           then (select pg_describe_object('pg_class'::regclass, ev_class, 0) from pg_rewrite where oid = d.objid)
           else pg_describe_object(d.classid, d.objid, d.objsubid) end as what
    from pg_depend d join own r on (r.classid, r.objid) = (d.refclassid, d.refobjid)
   where d.deptype in ('n', 'a')
     and not exists (select 1 from own o where (o.classid, o.objid) = (d.classid, d.objid))`;

/** What users changed of the tables themselves. */
const CHANGES = `${TABLES},
  columns as (
    select s.side, t.name as of, a.attname as name,
           (format_type(a.atttypid, a.atttypmod), a.attcollation, a.attnotnull, a.attidentity, a.attgenerated,
            pg_get_expr(d.adbin, d.adrelid))::text as definition
      from t, lateral (values ('live', t.live), ('fresh', t.fresh)) s (side, oid)
      join pg_attribute a on a.attrelid = s.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on (d.adrelid, d.adnum) = (a.attrelid, a.attnum))
  select format('column %s of table %I.%I', l.name, $1, l.of) as what
    from columns l left join columns f on f.side = 'fresh' and (f.of, f.name) = (l.of, l.name)
   where l.side = 'live' and l.definition is distinct from f.definition
  union all
  select format('the missing column %s of table %I.%I', f.name, $1, f.of)
    from columns f left join columns l on l.side = 'live' and (l.of, l.name) = (f.of, f.name)
   where f.side = 'fresh' and l.name is null
  union all
  select pg_describe_object('pg_constraint'::regclass, c.oid, 0)
    from t join pg_constraint c on c.conrelid = t.live and c.contype = 'f'
   where not exists (select 1 from pg_constraint f where (f.conrelid, f.conname) = (t.fresh, c.conname))
  union all
  select format('the parent %s of table %I.%I', i.inhparent::regclass, $1, t.name)
    from t join pg_inherits i on i.inhrelid = t.live
  union all
  select format('the persistence or access method of table %I.%I', $1, t.name)
    from t join pg_class l on l.oid = t.live join pg_class f on f.oid = t.fresh
   where (l.relpersistence, l.relam) <> (f.relpersistence, f.relam)
  union all
  select format('a security label on %s', pg_describe_object('pg_class'::regclass, t.live, s.objsubid))
    from t join pg_seclabel s on s.classoid = 'pg_class'::regclass and s.objoid = t.live`;

/** Most that a message names. */
const NAMED = 20;

/**
 * Refuses to go on where a rebuild would lose, or could not replace, something that users made.
 *
 * @throws AtlasError ATLAS_DATABASE_OCCUPIED naming each
 */
export async function refuseUncarried(tx: Queryable, schemas: Schemas): Promise<void> {
  const found = await inFull(tx, async () => {
    const dependents = await tx.query<{ what: string }>(DEPENDENTS, valuesOf(schemas));
    const changes = await tx.query<{ what: string }>(CHANGES, valuesOf(schemas));
    return [...dependents.rows, ...changes.rows].map(({ what }) => what).sort();
  });
  if (found.length === 0) return;
  const more = found.length > NAMED ? ` and ${found.length - NAMED} more` : "";
  throw new AtlasError(
    "ATLAS_DATABASE_OCCUPIED",
    `a rebuild cannot carry these over to the new tables: ${found.slice(0, NAMED).join("; ")}${more}`,
    {
      where: `schema ${schemas.live}`,
      hint: "Drop them, rebuild, and create them again; policies, indexes, triggers, comments and grants are kept.",
    },
  );
}
