import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../database/database.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { prepareReadModels } from "../../projections/prepare-read-models.ts";
import { missing, postgres } from "../services/services.ts";
import { factsOf, wholeSession } from "../traces/sessions.ts";
import { openServer } from "./databases.ts";
import { applyRecords, logOf } from "./replayed.ts";

describe.skipIf(await missing("postgres"))("the read models' tables", () => {
  let url: string;
  let db: Database;
  beforeEach(async () => {
    ({ url } = await postgres());
    db = await openPostgres(url);
    return () => db.close();
  });

  it("are made once, whoever comes at the same time", async () => {
    await Promise.all(Array.from({ length: 6 }, () => prepareReadModels(db)));
    await prepareReadModels(db);
    const { rows } = await db.query(
      "select version from atlas_log.migrations where series like 'read-models%'",
    );
    expect(rows).toEqual([{ version: 1 }]);
  });

  it("are made in the first schema of the search path", async () => {
    await db.query("create schema mine");
    const { rows } = await db.query<{ name: string }>("select current_database()::text as name");
    await db.query(`alter database "${rows[0]!.name}" set search_path = mine, public`);
    const again = await openPostgres(url);
    try {
      await prepareReadModels(again);
      const own = wholeSession("a");
      await applyRecords(again, logOf([...own, ...factsOf(own)]));
      expect((await db.query("select status from mine.sessions")).rows).toEqual([{ status: "succeeded" }]);
    } finally {
      await again.close();
    }
  });

  it("are left alone by an older package", async () => {
    await prepareReadModels(db);
    await db.query("update atlas_log.migrations set version = 99 where series like 'read-models%'");
    await expect(prepareReadModels(db)).rejects.toMatchObject({ code: "ATLAS_DATABASE_TOO_NEW" });
  });

  it("do not touch another program's tables of the same name", async () => {
    await db.query("create table sessions (id serial primary key, task text)");
    await expect(prepareReadModels(db)).rejects.toMatchObject({
      code: "ATLAS_DATABASE_OCCUPIED",
      message: expect.stringContaining("sessions"),
    });
    expect((await db.query("select * from sessions")).rows).toEqual([]);
  });

  it("have the names, columns and types that readers of the Python SDK's tables expect", async () => {
    await prepareReadModels(db);
    const { rows } = await db.query<{ table: string; columns: string }>(
      `select table_name::text as table, string_agg(column_name || ' ' || udt_name, ', ' order by ordinal_position) as columns
         from information_schema.columns where table_schema = current_schema() group by 1`,
    );
    const columns = new Map(rows.map((row) => [row.table, row.columns]));
    const begins: Record<string, string> = {
      sessions:
        "id int4, task text, status text, metadata jsonb, final_answer text, reward jsonb, reward_stats jsonb, reward_audit jsonb, student_learning text, teacher_learning text, review_status text, review_notes text, created_at timestamptz, completed_at timestamptz",
      plans: "session_id int4, plan jsonb",
      step_results:
        "session_id int4, step_id int4, trace text, output text, evaluation jsonb, metadata jsonb, attempts int4",
      step_attempts: "session_id int4, step_id int4, attempt int4, evaluation jsonb",
      guidance_notes: "session_id int4, step_id int4, sequence int4, note text",
      trajectory_events: "id int8, session_id int4, event jsonb, created_at timestamptz",
      discovery_runs:
        "id int4, project_root text, source text, task text, payload jsonb, metadata jsonb, created_at timestamptz",
      learning_registry:
        "learning_key text, student_learning text, teacher_learning text, metadata jsonb, updated_at timestamptz",
    };
    for (const [table, start] of Object.entries(begins))
      expect(columns.get(table)?.startsWith(start), table).toBe(true);
    // Unqualified names in that client's joined filters would become ambiguous.
    expect(columns.get("plans")).toBe(begins.plans);
  });
});

describe.skipIf(await missing("postgres"))("the read models' checks", () => {
  let db: Database;
  beforeAll(async () => {
    db = await openServer();
    const own = wholeSession("a");
    await applyRecords(db, logOf([...own, ...factsOf(own)]));
  });
  afterAll(() => db?.close());

  it.each([
    ["sessions", `metadata = '"text"'`],
    ["sessions", "metadata = '[]'"],
    ["sessions", "reward = '0.5'"],
    ["sessions", `reward = '{"score":null,"judges":[]}'`],
    ["sessions", `reward = '{"score":"0.5","judges":[]}'`],
    ["sessions", `reward = '{"score":0.5,"judges":[1]}'`],
    ["sessions", `reward = '{"score":0.5,"judges":[{"samples":["x"]}]}'`],
    ["sessions", `reward = '{"score":0.5,"judges":[{"score":1},{"score":1,"samples":["x"]}]}'`],
    ["sessions", `reward = '{"score":0.5,"judges":[{"score":1,"samples":"x"}]}'`],
    ["sessions", `reward = '{"score":0.5,"judges":[{"score":null,"samples":[]}]}'`],
    ["sessions", `reward = '{"score":0.5,"judges":[{"samples":[]}]}'`],
    ["sessions", "reward = 'null'"],
    ["sessions", "reward_audit = '[1]'"],
    ["sessions", "status = 'unheard of'"],
    ["sessions", `metadata = '{"drift":"no"}'`],
    ["sessions", `metadata = '{"teacher_notes":"x"}'`],
    ["sessions", `reward_stats = '{"score":"hi"}'`],
    ["sessions", "reward_audit = '{}'"],
    ["sessions", "review_status = 'unheard of'"],
    ["plans", "plan = '[]'"],
    ["plans", `plan = '{"steps":null}'`],
    ["plans", `plan = '{"steps":[{"id":"1"}]}'`],
    ["plans", `plan = '{"steps":[{}]}'`],
    ["plans", `plan = '{"steps":["x"]}'`],
    ["step_results", `evaluation = '"text"'`],
    ["step_results", `evaluation = '{"score":0.5}'`],
    ["step_results", `evaluation = '{"validation":null}'`],
    ["step_results", `evaluation = '{"reward":{"score":0.5,"judges":["x"]}}'`],
    ["step_results", `evaluation = '{"reward":{"score":0.5,"judges":[{"score":1,"samples":[1]}]}}'`],
    ["step_results", `evaluation = '{"reward":0.5}'`],
    ["step_results", `evaluation = '{"reward":{"score":null}}'`],
    ["step_results", `evaluation = '{"validation":[]}'`],
    ["step_results", "metadata = '[]'"],
    ["step_attempts", "evaluation = '[]'"],
    ["step_attempts", `evaluation = '{"validation":"x"}'`],
    ["trajectory_events", `event = '"text"'`],
    ["trajectory_events", `event = '{"payload":"x"}'`],
  ])("refuse in %s what breaks a reader: %s", async (table, malformed) => {
    await expect(db.query(`update ${table} set ${malformed}`)).rejects.toMatchObject({ code: "23514" });
  });

  it.each([
    ["sessions", "metadata"],
    ["step_results", "evaluation"],
    ["step_results", "metadata"],
    ["step_results", "trace"],
    ["step_results", "output"],
    ["step_results", "attempts"],
    ["step_attempts", "evaluation"],
    ["plans", "plan"],
    ["trajectory_events", "event"],
    ["trajectory_events", "session_id"],
  ])("refuse in %s a missing %s", async (table, column) => {
    await expect(db.query(`update ${table} set ${column} = null`)).rejects.toMatchObject({ code: "23502" });
  });
});
