import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../database/database.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { prepareLogTables } from "../../log/log-tables.ts";
import { prepareReadModels } from "../../projections/prepare-read-models.ts";
import {
  countTrainingSessions,
  getSession,
  getTrainingSessions,
  paginateSessions,
} from "../../projections/training-data.ts";
import { READER_SCHEMA } from "../interop/reader-schema.ts";
import { missing, postgres } from "../services/services.ts";
import { factsOf, sessionId, wholeSession } from "../traces/sessions.ts";
import { applyRecords, logOf } from "./replayed.ts";

describe.skipIf(await missing("postgres"))("a reader with a role of its own", () => {
  const name = `atlas_reader_${process.pid}`;
  let db: Database;
  let address: URL;

  const poolOf = (role: string): pg.Pool => {
    const url = new URL(address);
    url.username = role;
    url.password = "reads";
    return new pg.Pool({ connectionString: url.href, max: 1 });
  };

  beforeAll(async () => {
    address = new URL((await postgres()).url);
    db = await openPostgres(address.href);
    await prepareLogTables(db);
    await prepareReadModels(db);
    const own = wholeSession("a");
    await applyRecords(db, logOf([...own, ...factsOf(own)]));
    await db.query(`create role ${name} login password 'reads'`);
    await db.query(`create role ${name}_owner login password 'reads'`);
    await db.query(`grant select on all tables in schema public to ${name}`);
    await db.query(`grant create on schema public to ${name}_owner`);
    await db.query(`do $$ begin execute format('grant %I to ${name}_owner', current_user); end $$`);
  });
  afterAll(async () => {
    await db?.query(`drop owned by ${name}, ${name}_owner`).catch(() => undefined);
    await db?.query(`drop role if exists ${name}, ${name}_owner`).catch(() => undefined);
    await db?.close();
  });

  it("needs nothing but select", async () => {
    const pool = poolOf(name);
    try {
      const [session] = await getTrainingSessions(pool, { minReward: 0.1 });
      expect(session).toMatchObject({ task: "Count a", rewardSummary: { sample_count: 1 } });
      expect(session?.trajectoryEvents).toHaveLength(wholeSession("a").length);
      expect(await countTrainingSessions(pool)).toBe(1);
      expect((await getSession(pool, sessionId("a"))).task).toBe("Count a");
      for await (const page of paginateSessions(pool)) expect(page).toHaveLength(1);
      await expect(pool.query("update sessions set task = ''")).rejects.toMatchObject({ code: "42501" });
    } finally {
      await pool.end();
    }
  });

  it("may run its own DDL on connecting, which finds all that it asks for", async () => {
    const pool = poolOf(`${name}_owner`);
    try {
      const before = await columnsOf(db);
      await pool.query(READER_SCHEMA);
      expect(await columnsOf(db)).toEqual(before);
      expect(await getTrainingSessions(pool)).toHaveLength(1);
    } finally {
      await pool.end();
    }
  });

  it("does not wait for the projection with its DDL longer than a unit takes", async () => {
    const pool = poolOf(`${name}_owner`);
    try {
      const own = wholeSession("b");
      const [projected] = await Promise.all([
        applyRecords(db, logOf([...own, ...factsOf(own)]), { batchSize: 1 }),
        pool.query(`set statement_timeout = 5000; ${READER_SCHEMA}`),
      ]);
      expect(projected).toBeUndefined();
      expect(await countTrainingSessions(pool)).toBe(2);
    } finally {
      await pool.end();
    }
  });
});

async function columnsOf(db: Database): Promise<unknown[]> {
  const { rows } = await db.query(
    `select attrelid::regclass::text as "table", attname::text as name from pg_attribute
      where attrelid::regclass::text = any($1) order by 1, 2`,
    [["sessions", "plans", "step_results", "step_attempts", "guidance_notes", "trajectory_events"]],
  );
  return rows;
}
