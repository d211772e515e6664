import type { Queryable } from "../../database/database.ts";
import { AtlasError, messageOf } from "../../errors/atlas-error.ts";
import { quoteIdentifier, REBUILT_TABLES, tablesIn } from "../tables.ts";
import { execute, type Schemas } from "./catalog.ts";
import { objectsOf } from "./objects.ts";
import { rightsOf } from "./rights.ts";
import { carryIndexes, carrySettings } from "./settings.ts";
import { refuseUncarried } from "./uncarried.ts";

/**
 * Puts rebuilt tables in the place of the live ones, in the caller's transaction, with all that users attached to
 * these: owners, grants, row security and its policies, indexes, constraints, triggers, rules, comments, publications,
 * statistics and storage parameters.
 *
 * @throws AtlasError ATLAS_DATABASE_OCCUPIED naming what cannot be carried over
 */
export async function swapTables(tx: Queryable, schemas: Schemas): Promise<void> {
  const { live, rebuilt } = schemas;
  const old = REBUILT_TABLES.map(tablesIn(live)).join(", ");
  await tx.query(`lock table ${old} in access exclusive mode`);
  // Users may have gone on since the rebuild began.
  await refuseUncarried(tx, schemas);
  await carrySettings(tx, schemas);
  await carryIndexes(tx, schemas);
  const attached = [...(await objectsOf(tx, schemas)), ...(await rightsOf(tx, schemas))];
  try {
    await tx.query(`drop table ${old}`);
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
  for (const table of REBUILT_TABLES.map(tablesIn(rebuilt)))
    await tx.query(`alter table ${table} set schema ${quoteIdentifier(live)}`);
  await execute(tx, attached);
}
