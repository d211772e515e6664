import { join } from "node:path";
import type { Database } from "../database/database.ts";
import { type Migrations, migrate } from "../database/migrate.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import { prepareLogTables } from "../log/log-tables.ts";
import { quoteIdentifier } from "./tables.ts";

const FOLDER = join(import.meta.dirname, "migrations");

/** The name under which a schema's tables are noted as migrated. */
export const seriesOf = (schema: string): string => `read-models in ${schema}`;

/** The tables of the read models in a schema. */
export const readModelTables = (schema: string): Migrations => ({
  series: seriesOf(schema),
  folder: FOLDER,
  names: { schema: quoteIdentifier(schema) },
});

/**
 * Creates the tables of the read models, or brings them up to date.
 *
 * @param options.schema where they are; the first schema of the search path unless told
 * @throws AtlasError ATLAS_DATABASE_TOO_NEW, and ATLAS_DATABASE_OCCUPIED where another program's tables are in the way
 * @example
 * await prepareReadModels(db);
 */
export async function prepareReadModels(db: Database, options: { schema?: string } = {}): Promise<void> {
  const schema = options.schema ?? (await currentSchema(db));
  await refuseForeignTables(db, schema);
  // The integers of sessions and the dead letters live there: no rebuild replaces them.
  await prepareLogTables(db);
  await migrate(db, readModelTables(schema));
}

/**
 * The schema that unqualified names mean.
 *
 * @throws AtlasError ATLAS_DATABASE_OCCUPIED when the search path has none
 */
export async function currentSchema(db: Pick<Database, "query" | "address">): Promise<string> {
  const { rows } = await db.query<{ schema: string | null }>("select current_schema()::text as schema");
  const schema = rows[0]?.schema;
  if (schema != null) return schema;
  throw new AtlasError("ATLAS_DATABASE_OCCUPIED", "no schema of the search path exists", {
    where: db.address,
    hint: "Create the schema, or set the user's search_path to one that exists.",
  });
}

async function refuseForeignTables(db: Database, schema: string): Promise<void> {
  const { rows } = await db.query(
    `select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relname = 'sessions'
        and not exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'session_uuid')`,
    [schema],
  );
  if (rows.length === 0) return;
  throw new AtlasError(
    "ATLAS_DATABASE_OCCUPIED",
    `schema ${schema} holds a table "sessions" of another program`,
    {
      where: db.address,
      hint: "Use a database of its own, or a user whose search_path begins with an empty schema.",
    },
  );
}
