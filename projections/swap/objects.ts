import type { Queryable } from "../../database/database.ts";
import { inFull, type Schemas, statementsOf, TABLES } from "./catalog.ts";

/** Policies and row security, triggers, rules, statistics, publications, replica identities and clustering. */
const OBJECTS = `${TABLES},
  policies as (
    select t.name, p.*,
           case when p.polroles = '{0}' then 'public'
                else (select string_agg(quote_ident(rolname), ', ') from pg_roles where oid = any(p.polroles)) end as roles
      from t join pg_policy p on p.polrelid = t.live)
  select statement from (
    select 1 as place, format('create policy %I on %I.%I as %s for %s to %s%s%s', polname, $1, name,
             case when polpermissive then 'permissive' else 'restrictive' end,
             case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                         when 'd' then 'delete' else 'all' end,
             roles, ' using (' || pg_get_expr(polqual, polrelid) || ')',
             ' with check (' || pg_get_expr(polwithcheck, polrelid) || ')') as statement
      from policies
    union all
    select 2, format('alter table %I.%I enable row level security', $1, name)
      from t join pg_class c on c.oid = t.live where c.relrowsecurity
    union all
    select 2, format('alter table %I.%I force row level security', $1, name)
      from t join pg_class c on c.oid = t.live where c.relforcerowsecurity
    union all
    select 3, pg_get_triggerdef(g.oid) from t join pg_trigger g on g.tgrelid = t.live where not g.tgisinternal
    union all
    select 4, format('alter table %I.%I %s trigger %I', $1, name,
             case tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end, tgname)
      from t join pg_trigger g on g.tgrelid = t.live where not g.tgisinternal and tgenabled <> 'O'
    union all
    select 5, pg_get_ruledef(r.oid) from t join pg_rewrite r on r.ev_class = t.live
    union all
    select 6, format('alter table %I.%I %s rule %I', $1, name,
             case ev_enabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end, rulename)
      from t join pg_rewrite r on r.ev_class = t.live where ev_enabled <> 'O'
    union all
    select 7, pg_get_statisticsobjdef(s.oid) from t join pg_statistic_ext s on s.stxrelid = t.live
    union all
    select 8, format('alter statistics %I.%I set statistics %s', nspname, stxname, to_jsonb(s) ->> 'stxstattarget')
      from t join pg_statistic_ext s on s.stxrelid = t.live join pg_namespace n on n.oid = s.stxnamespace
     where (to_jsonb(s) ->> 'stxstattarget')::int >= 0
    union all
    select 9, format('alter publication %I add table %I.%I%s%s', p.pubname, $1, t.name,
             case when jsonb_typeof(to_jsonb(r) -> 'prattrs') = 'array' then
               (select format(' (%s)', string_agg(quote_ident(attname), ', ' order by attnum)) from pg_attribute
                 where attrelid = t.live
                   and attnum in (select jsonb_array_elements_text(to_jsonb(r) -> 'prattrs')::int)) end,
             ' where (' || (select to_jsonb(v) ->> 'rowfilter' from pg_publication_tables v
                             where (v.pubname, v.schemaname, v.tablename) = (p.pubname, $1, t.name)) || ')')
      from t join pg_publication_rel r on r.prrelid = t.live join pg_publication p on p.oid = r.prpubid
    union all
    select 10, format('alter table %I.%I replica identity %s', $1, name,
             case c.relreplident when 'f' then 'full' when 'n' then 'nothing' else 'using index ' ||
               (select quote_ident(i.relname) from pg_index x join pg_class i on i.oid = x.indexrelid
                 where x.indrelid = t.live and x.indisreplident) end)
      from t join pg_class c on c.oid = t.live where c.relreplident <> 'd'
    union all
    select 11, format('alter table %I.%I cluster on %I', $1, name, i.relname)
      from t join pg_index x on x.indrelid = t.live and x.indisclustered join pg_class i on i.oid = x.indexrelid) statements
   order by place`;

/** Comments on the tables and on all that is theirs. */
const COMMENTS = `${TABLES}
  select format('comment on %s is %L', what, d.description) as statement
    from (
      select 'pg_class'::regclass as classoid, t.live as objoid, 0 as objsubid, format('table %I.%I', $1, name) as what from t
      union all
      select 'pg_class'::regclass, t.live, a.attnum, format('column %I.%I.%I', $1, name, a.attname)
        from t join pg_attribute a on a.attrelid = t.live and a.attnum > 0
      union all
      select 'pg_class'::regclass, i.oid, 0, format('index %I.%I', $1, i.relname)
        from t join pg_index x on x.indrelid = t.live join pg_class i on i.oid = x.indexrelid
      union all
      select 'pg_constraint'::regclass, c.oid, 0, format('constraint %I on %I.%I', c.conname, $1, name)
        from t join pg_constraint c on c.conrelid = t.live
      union all
      select 'pg_trigger'::regclass, g.oid, 0, format('trigger %I on %I.%I', g.tgname, $1, name)
        from t join pg_trigger g on g.tgrelid = t.live
      union all
      select 'pg_policy'::regclass, p.oid, 0, format('policy %I on %I.%I', p.polname, $1, name)
        from t join pg_policy p on p.polrelid = t.live
      union all
      select 'pg_rewrite'::regclass, r.oid, 0, format('rule %I on %I.%I', r.rulename, $1, name)
        from t join pg_rewrite r on r.ev_class = t.live
      union all
      select 'pg_statistic_ext'::regclass, s.oid, 0, format('statistics %I.%I', n.nspname, s.stxname)
        from t join pg_statistic_ext s on s.stxrelid = t.live join pg_namespace n on n.oid = s.stxnamespace) o
    join pg_description d using (classoid, objoid, objsubid)`;

/**
 * The statements that make, on the tables that come into the place of the live ones, what users attached to these.
 * They are read before the live tables go, and executed when the others have their names.
 */
export const objectsOf = (tx: Queryable, schemas: Schemas): Promise<readonly string[]> =>
  inFull(tx, async () => [
    ...(await statementsOf(tx, OBJECTS, schemas)),
    ...(await statementsOf(tx, COMMENTS, schemas)),
  ]);
