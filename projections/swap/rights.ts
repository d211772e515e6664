import type { Queryable } from "../../database/database.ts";
import { inFull, type Schemas, statementsOf, TABLES } from "./catalog.ts";

/** What default privileges gave the rebuilt tables goes; then come the grants of the live ones, then their owners. */
const RIGHTS = `${TABLES},
  acls as (
    select s.side, t.name, null::name as column, c.relacl as acl, c.relowner as owner
      from t, lateral (values ('live', t.live), ('fresh', t.fresh)) s (side, oid) join pg_class c on c.oid = s.oid
    union all
    select 'live', t.name, a.attname, a.attacl, c.relowner
      from t join pg_class c on c.oid = t.live join pg_attribute a on a.attrelid = t.live
     where a.attacl is not null and not a.attisdropped),
  grants as (
    select acls.side, acls.name, g.privilege_type as privilege, acls.column, g.is_grantable,
           case when g.grantee = 0 then 'public' else (select quote_ident(rolname) from pg_roles where oid = g.grantee) end as whom
      from acls cross join lateral aclexplode(acls.acl) g
     where g.grantee <> acls.owner)
  select statement from (
    select distinct 1 as place, format('revoke all on %I.%I from %s', $1, name, whom) as statement
      from grants where side = 'fresh'
    union all
    select 2, format('grant %s%s on %I.%I to %s%s', privilege, format(' (%I)', grants.column), $1, name, whom,
             case when is_grantable then ' with grant option' end)
      from grants where side = 'live' and grants.column is not null
    union all
    select 2, format('grant %s on %I.%I to %s%s', privilege, $1, name, whom,
             case when is_grantable then ' with grant option' end)
      from grants where side = 'live' and grants.column is null
    union all
    select 3, format('alter table %I.%I owner to %I', $1, t.name, r.rolname)
      from t join pg_class c on c.oid = t.live join pg_roles r on r.oid = c.relowner
     where r.rolname <> current_user) statements
   order by place`;

/** The statements that give the new tables the owners and grants of the live ones, once they have their names. */
export const rightsOf = (tx: Queryable, schemas: Schemas): Promise<readonly string[]> =>
  inFull(tx, () => statementsOf(tx, RIGHTS, schemas));
