import { createHash } from "node:crypto";
import type { Database, Queryable } from "../database/database.ts";
import { UNHURRIED } from "../database/database.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import type { Apply } from "../log/event-log.ts";
import type { EventDescription } from "../schemas/event-definitions.ts";
import { definedAmong, type EventKind, type EventOfKind, topicsOf, typesOf } from "../schemas/event-kinds.ts";
import type { Topic } from "../schemas/topics.ts";

/** A read model of a user's. */
export interface ProjectionDefinition<K extends EventKind> {
  /** Lower-case letters, digits and hyphens; unique among those that read one log. */
  name: string;
  /** Raised with every change: the new version has tables of its own, and is filled from the log's beginning. */
  version: number;
  /** The events that it is given. */
  facts: readonly K[];
  /** SQL that makes its tables. They come into a schema that is the projection's alone. */
  tables: string;
  /**
   * Writes what a batch says into the tables, in the transaction that also says how far it got: a row is written once,
   * whatever crashes.
   */
  apply(facts: readonly EventOfKind<K>[], tx: Queryable): Promise<void>;
}

/** A read model of a user's, ready to be filled. */
export interface Projection {
  readonly name: string;
  readonly version: number;
  readonly inputs: readonly Topic[];
  /** The group that fills it. */
  readonly group: string;
  /** The schema in Postgres where its tables are, such as `costs_v1`. */
  readonly schema: string;
  readonly events: readonly EventDescription[];
  /** Makes the schema and its tables where they are missing. */
  prepare(db: Database): Promise<void>;
  readonly consume: Apply;
}

/**
 * Defines a read model of your own. Its tables are in a Postgres schema named by it and its version, which one queries
 * like any other.
 *
 * @throws AtlasError ATLAS_PROJECTION_INVALID
 * @example
 * const costs = defineProjection({
 *   name: "costs", version: 1, facts: [tenantCost],
 *   tables: "create table daily (tenant text, day date, tokens bigint, primary key (tenant, day))",
 *   apply: async (facts, tx) => {
 *     for (const { tenant, day, tokens } of facts)
 *       await tx.query(
 *         `insert into daily values ($1, $2, $3)
 *          on conflict (tenant, day) do update set tokens = daily.tokens + excluded.tokens`,
 *         [tenant, day, tokens],
 *       );
 *   },
 * });
 */
export function defineProjection<const K extends EventKind>(definition: ProjectionDefinition<K>): Projection {
  const { name, version, facts, tables } = definition;
  const refuse = (problem: string, hint: string): never => {
    throw new AtlasError("ATLAS_PROJECTION_INVALID", problem, { where: `projection ${name}`, hint });
  };
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(name))
    refuse(`its name is ${JSON.stringify(name)}`, "Use at most 41 lower-case letters, digits and hyphens.");
  if (!Number.isInteger(version) || version < 1)
    refuse(`its version is ${version}`, "Use a whole number from 1.");
  if (facts.length === 0) refuse("it is given no events", "Name them in `facts`.");
  const schema = `${name.replaceAll("-", "_")}_v${version}`;
  const types = new Set(typesOf(facts));
  return {
    name,
    version,
    inputs: topicsOf(facts),
    group: `${name}@${version}`,
    schema,
    events: definedAmong(facts),
    prepare: (db) => prepare(db, { name, schema, tables }),
    consume: async (batch, { tx }) => {
      const wanted = batch.filter(({ event }) => types.has(event.type)).map(({ event }) => event);
      if (wanted.length === 0) return;
      await within(tx, schema, () => definition.apply(wanted as unknown as EventOfKind<K>[], tx));
    },
  };
}

/** Runs a body whose unqualified tables are those of a schema. */
async function within(tx: Queryable, schema: string, body: () => Promise<void>): Promise<void> {
  const { rows } = await tx.query<{ path: string }>("select current_setting('search_path') as path");
  const set = (path: string) => tx.query("select set_config('search_path', $1, true)", [path]);
  await set(`"${schema}", public`);
  await body();
  await set(rows[0]!.path);
}

/** The schema's comment names the tables that it was made with: they cannot change under the same version. */
async function prepare(
  db: Database,
  { name, schema, tables }: { name: string; schema: string; tables: string },
): Promise<void> {
  const made = `atlas projection ${createHash("sha256").update(tables).digest("hex").slice(0, 16)}`;
  await db.transaction(async (tx) => {
    await tx.query("select pg_advisory_xact_lock(hashtext($1))", [`atlas projection ${schema}`]);
    const { rows } = await tx.query<{ comment: string | null }>(
      "select obj_description(oid, 'pg_namespace') as comment from pg_namespace where nspname = $1",
      [schema],
    );
    if (rows[0]?.comment === made) return;
    if (rows[0] !== undefined) {
      const ours = rows[0].comment?.startsWith("atlas projection ") === true;
      throw new AtlasError(
        "ATLAS_PROJECTION_INVALID",
        ours ? "its tables differ from those it was made with" : `the schema ${schema} is somebody else's`,
        {
          where: `projection ${name}`,
          hint: ours ? "Raise its version: the new one is filled beside this one." : "Give it another name.",
        },
      );
    }
    await tx.query(`create schema "${schema}"`);
    await tx.query(`comment on schema "${schema}" is '${made}'`);
    await within(tx, schema, async () => {
      await tx.query(tables);
    });
  }, UNHURRIED);
}
