import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EMBEDDED_TABLES } from "../../app/open-store.ts";
import type { Database } from "../../database/database.ts";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { templateName } from "../../database/embedded/template.ts";
import type { Migrations } from "../../database/migrate.ts";
import { databaseId, prepareLogTables } from "../../log/log-tables.ts";
import { prepareReadModels } from "../../projections/prepare-read-models.ts";

let home: string;
let open: Database[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "atlas-tables-"));
  open = [];
});

afterEach(async () => {
  for (const db of open) await db.close();
  rmSync(home, { recursive: true, force: true });
});

async function openNew(name: string, tables: readonly Migrations[]): Promise<Database> {
  const db = await openEmbedded(join(home, name), { tables });
  open.push(db);
  return db;
}

/** All that migrations make, in words. */
async function madeIn(db: Database): Promise<unknown> {
  const ours = "n.nspname in ('atlas_log', 'public')";
  const { rows } = await db.query(
    `select n.nspname || '.' || c.relname as name, c.relkind::text, c.relpersistence::text, c.reloptions::text,
            (select array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
                     || coalesce(pg_get_expr(d.adbin, d.adrelid), '') order by a.attnum)::text
               from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
              where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
            (select array_agg(pg_get_constraintdef(k.oid) order by k.conname)::text
               from pg_constraint k where k.conrelid = c.oid) as constraints,
            (select pg_get_indexdef(i.indexrelid) from pg_index i where i.indexrelid = c.oid) as index
       from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${ours} order by 1`,
  );
  const functions = await db.query(
    `select pg_get_functiondef(p.oid) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${ours} order by 1`,
  );
  const series = await db.query("select series, version from atlas_log.migrations order by series");
  return [rows, functions.rows, series.rows];
}

test("a new folder holds from the start what migrations would make in it", async () => {
  const migrated = await openNew("migrated", []);
  await prepareLogTables(migrated);
  await prepareReadModels(migrated);
  const made = await openNew("made", EMBEDDED_TABLES);
  expect(await madeIn(made)).toEqual(await madeIn(migrated));
});

test("what names a database is made anew in each folder, and stays", async () => {
  const [one, other] = await Promise.all([
    openNew("one", EMBEDDED_TABLES),
    openNew("other", EMBEDDED_TABLES),
  ]);
  const id = await databaseId(one);
  expect(await databaseId(other)).not.toBe(id);
  await one.close();
  expect(await databaseId(await openNew("one", EMBEDDED_TABLES))).toBe(id);
});

test("a template holds nothing that is of one database alone", async () => {
  const db = await openNew("new", EMBEDDED_TABLES);
  const { rows } = await db.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('atlas_log', 'public') and c.relkind = 'r'`,
  );
  const filled: string[] = [];
  for (const { name } of rows) {
    const found = await db.query(`select from ${name} limit 1`);
    if (found.rowCount > 0) filled.push(name);
  }
  expect(filled).toEqual(["atlas_log.migrations"]);
});

test("a changed migration is another template", async () => {
  const file = join(home, "001_first.sql");
  const series: Migrations = { series: "mine", folder: home };
  writeFileSync(file, "create table atlas_log.mine (one int)");
  const before = templateName([series]);
  writeFileSync(file, "create table atlas_log.mine (two int)");
  expect(templateName([series])).not.toBe(before);
  expect(templateName([{ ...series, uncopied: "select 1" }])).not.toBe(templateName([series]));
  const db = await openNew("new", [series]);
  expect((await db.query("select two from atlas_log.mine")).rows).toEqual([]);
});
