import type { Queryable } from "../database/database.ts";
import { AtlasError, messageOf } from "../errors/atlas-error.ts";
import { quoteIdentifier, REBUILT_TABLES, tablesIn } from "./tables.ts";

interface Grant {
  table: string;
  privilege: string;
  column: string | null;
  grantee: string | null;
  grantable: boolean;
}

/** Gives the new tables the owners and grants of those that they replace. */
async function copyRights(tx: Queryable, from: string, to: string): Promise<void> {
  const names = tablesIn(to);
  const owners = await tx.query<{ table: (typeof REBUILT_TABLES)[number]; owner: string }>(
    `select c.relname::text as table, r.rolname::text as owner
       from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.oid = c.relowner
      where n.nspname = $1 and c.relname = any($2::text[]) and r.rolname <> current_user`,
    [from, REBUILT_TABLES],
  );
  const grants = await tx.query<Grant & { table: (typeof REBUILT_TABLES)[number] }>(
    `with acls as (
       select c.oid, c.relname, null::text as attname, c.relacl as acl, c.relowner
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = any($2::text[])
       union all
       select c.oid, c.relname, a.attname::text, a.attacl, c.relowner
         from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
        where n.nspname = $1 and c.relname = any($2::text[]) and a.attacl is not null)
     select acls.relname::text as table, g.privilege_type as privilege, acls.attname as column,
            r.rolname::text as grantee, g.is_grantable as grantable
       from acls cross join lateral aclexplode(acls.acl) g left join pg_roles r on r.oid = g.grantee
      where g.grantee <> acls.relowner`,
    [from, REBUILT_TABLES],
  );
  for (const { table, privilege, column, grantee, grantable } of grants.rows) {
    const what = column === null ? privilege : `${privilege} (${quoteIdentifier(column)})`;
    const whom = grantee === null ? "public" : quoteIdentifier(grantee);
    await tx.query(`grant ${what} on ${names(table)} to ${whom}${grantable ? " with grant option" : ""}`);
  }
  for (const { table, owner } of owners.rows) {
    await tx.query(`alter table ${names(table)} owner to ${quoteIdentifier(owner)}`);
  }
}

/**
 * Puts rebuilt tables in the place of the live ones, in the caller's transaction.
 *
 * @throws AtlasError ATLAS_DATABASE_OCCUPIED when a view or another object depends on the live tables
 */
export async function swapTables(tx: Queryable, rebuilt: string, live: string): Promise<void> {
  const old = REBUILT_TABLES.map(tablesIn(live));
  await copyRights(tx, live, rebuilt);
  try {
    await tx.query(`drop table ${old.join(", ")}`);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "2BP01") throw error;
    throw new AtlasError(
      "ATLAS_DATABASE_OCCUPIED",
      `the live tables cannot be replaced: ${messageOf(error)}`,
      {
        where: `schema ${live}`,
        hint: "Drop what depends on them, rebuild, and create it again.",
        cause: error,
      },
    );
  }
  for (const table of REBUILT_TABLES.map(tablesIn(rebuilt))) {
    await tx.query(`alter table ${table} set schema ${quoteIdentifier(live)}`);
  }
}
