import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../database/database.ts";
import type { Consumer, EventLog } from "../../log/event-log.ts";
import { appendRecords } from "../../log/postgres/event-store.ts";
import { openPostgresLog } from "../../log/postgres/open-postgres-log.ts";
import { memberName } from "../../log/runner/member.ts";
import { createReadModels } from "../../projections/read-models.ts";
import { rebuildReadModels } from "../../projections/rebuild.ts";
import { streamTraces } from "../../projections/stream-traces.ts";
import { createEvent, encodeEvent } from "../../schemas/codec.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { partitionOf } from "../../schemas/partition.ts";
import { TOPICS } from "../../schemas/topics.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import { factsOf, sessionWriter, wholeSession } from "../traces/sessions.ts";
import { DATABASES } from "./databases.ts";
import { everything } from "./replayed.ts";

const GROUP = "read-models";

async function linesOf(db: Database): Promise<string[]> {
  const lines: string[] = [];
  for await (const trace of streamTraces(db)) lines.push(encodeTrainingLine(trace));
  return lines;
}

async function leftovers(db: Database): Promise<string[]> {
  const { rows } = await db.query<{ nspname: string }>(
    "select nspname::text from pg_namespace where nspname like 'atlas_rebuild%'",
  );
  return rows.map(({ nspname }) => nspname);
}

describe.each(DATABASES)("a rebuild on $name", ({ name, skip, open }) => {
  describe.skipIf(skip)("", () => {
    let db: Database;
    let log: EventLog;
    const consumers: Consumer[] = [];

    const appendSessions = async (names: readonly string[]): Promise<void> => {
      for (const name of names) {
        const own = wholeSession(name, { learningKey: `key ${name}` });
        await log.append([...own, ...factsOf(own)].map(log.mask));
      }
    };

    const consume = async (): Promise<Consumer> => {
      const { apply, forget } = createReadModels();
      const consumer = await log.consume({ group: GROUP, topics: TOPICS, onAssignmentChange: forget }, apply);
      consumers.push(consumer);
      return consumer;
    };

    const caughtUp = async (): Promise<void> => {
      await log.caughtUp(GROUP, await log.ends(TOPICS), { timeoutMs: LIMIT_MS });
    };

    beforeEach(async () => {
      db = await open();
      log = await openPostgresLog({ db, partitions: 4, embedded: db.address.startsWith("embedded") });
    });
    afterEach(async () => {
      await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
      await log?.close();
      await db?.close();
    });

    it("gives the same rows and the same lines, whatever happened to the live tables", async () => {
      await appendSessions(["a", "b", "c", "d", "e"]);
      await consume();
      await caughtUp();
      const [rows, lines] = [await everything(db), await linesOf(db)];
      expect(lines).toHaveLength(5);

      await db.query("update sessions set task = 'changed', review_status = 'quarantined'");
      await db.query("delete from sessions where id = (select min(id) from sessions)");
      const progress: number[] = [];
      const summary = await rebuildReadModels(db, log, { onProgress: (events) => progress.push(events) });
      expect(summary).toEqual({ sessions: 5, events: 5 * (wholeSession("a").length + 4) });
      expect(progress.at(-1)).toBe(summary.events);
      expect(await everything(db)).toEqual(rows);
      expect(await linesOf(db)).toEqual(lines);
      expect(await leftovers(db)).toEqual([]);
    });

    it("goes on beside consumers that are at work, and loses nothing of what they do", async () => {
      const first = ["a", "b", "c", "d", "e", "f"];
      const then = ["g", "h", "i", "j", "k", "l"];
      await appendSessions(first);
      await consume();
      const appending = appendSessions(then);
      const { sessions } = await rebuildReadModels(db, log);
      expect(sessions).toBeGreaterThan(0);
      await appending;
      await caughtUp();
      const rows = await everything(db);
      expect(rows.sessions).toHaveLength(first.length + then.length);
      await rebuildReadModels(db, log);
      expect(await everything(db)).toEqual(rows);
    });

    // The embedded database has one session, which a transaction has to itself.
    it.skipIf(name.includes("embedded"))("goes on with other partitions while one has to wait", async () => {
      const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
      await appendSessions(names);
      await consume();
      await caughtUp();
      const ends = await log.ends(TOPICS);
      const uuid = wholeSession("a")[0]!.meta.session_id!;
      const held = partitionOf(uuid, log.partitions);
      const others = [...ends]
        .filter(([topic]) => topic !== "atlas.sessions")
        .flatMap(([, at]) => at.filter((_, partition) => partition !== held));
      const progress: number[] = [];
      let rebuilt: Promise<unknown> | undefined;
      await db.transaction(async (tx) => {
        await tx.query("select from atlas_log.session_ids where session_uuid = $1 for update", [uuid]);
        rebuilt = rebuildReadModels(db, log, { onProgress: (events) => progress.push(events) });
        const free = others.reduce((sum, end) => sum + end, 0);
        await eventually(() => expect(progress.at(-1) ?? 0).toBeGreaterThanOrEqual(free));
      });
      await rebuilt;
      expect((await everything(db)).sessions).toHaveLength(names.length);
    });

    it("builds only what the consumers have applied", async () => {
      await appendSessions(["a"]);
      const consumer = await consume();
      await caughtUp();
      await consumer.stop();
      await appendSessions(["b"]);
      expect((await rebuildReadModels(db, log)).sessions).toBe(1);
      await consume();
      await caughtUp();
      expect((await everything(db)).sessions).toHaveLength(2);
    });

    it("leaves the live tables as they are when it fails, and clears up behind one that was killed", async () => {
      await appendSessions(["a", "b"]);
      await consume();
      await caughtUp();
      const rows = await everything(db);
      const failing = rebuildReadModels(db, log, {
        onProgress: () => {
          throw new Error("no more");
        },
      });
      await expect(failing).rejects.toThrow("no more");
      expect(await leftovers(db)).toEqual([]);

      // What a killed process leaves: its registration, by a process id that nobody has, and its schema.
      const { rows: killed } = await db.query<{ id: number }>(
        "insert into atlas_log.rebuilds (member) values ($1) returning id",
        [memberName().replace(`:${process.pid}:`, `:${2 ** 22 + 1}:`)],
      );
      await db.query(`create schema atlas_rebuild_${killed[0]!.id}`);
      await db.query(`create table atlas_rebuild_${killed[0]!.id}.sessions (id int)`);
      expect(await everything(db)).toEqual(rows);
      await rebuildReadModels(db, log);
      expect(await leftovers(db)).toEqual([]);
      expect(await everything(db)).toEqual(rows);
      expect((await db.query("select 1 from atlas_log.rebuilds")).rows).toEqual([]);
    });

    it("leaves out the records that consumers set aside", async () => {
      const { emit, events } = sessionWriter("poison");
      emit("SessionStarted", { task: "t", learning_key: "k", agent: "x" });
      const stray = { ...events[0]!, meta: { ...events[0]!.meta, session_id: "nobody", source: "nobody" } };
      await log.append([stray as AtlasEvent].map(log.mask));
      const { fingerprint } = encodeEvent(stray as AtlasEvent);
      const garbage = {
        topic: "atlas.sessions",
        partition: 1,
        key: "x",
        fingerprint,
        body: Buffer.from("no event"),
      } as const;
      await appendRecords(db, [garbage]);
      await appendSessions(["a"]);
      await consume();
      await caughtUp();
      await caughtUp();
      const rows = await everything(db);
      expect((await db.query("select 1 from atlas_log.dead_letters")).rows).toHaveLength(2);
      await rebuildReadModels(db, log);
      expect(await everything(db)).toEqual(rows);
    });

    it("keeps who owns the tables and who may read them", async () => {
      // Roles belong to the whole server.
      const [reader, owner] = ["reader", "owner"].map((role) => `atlas_${role}_${randomUUID().slice(0, 8)}`);
      await db.query(
        `create role ${reader}; create role ${owner}; grant usage, create on schema public to ${owner}`,
      );
      await db.query(
        `grant select on sessions, plans to ${reader}; alter table guidance_notes owner to ${owner}`,
      );
      await db.query("grant select (session_id) on step_results to public");
      const rights = `select relname::text, relowner::regrole::text as owner, relacl::text[] as acl,
          (select array_agg(attname || ' ' || attacl::text order by attname) from pg_attribute a where a.attrelid = c.oid and attacl is not null) as columns
        from pg_class c where relnamespace = current_schema()::regnamespace and relkind in ('r', 'i') order by 1`;
      const before = await db.query(rights);
      await appendSessions(["a"]);
      await consume();
      await caughtUp();
      await rebuildReadModels(db, log);
      expect((await db.query(rights)).rows).toEqual(before.rows);
      await db.query(`reassign owned by ${owner} to current_user; drop owned by ${reader}, ${owner}`);
      await db.query(`drop role ${reader}, ${owner}`);
    });

    it("refuses, before it builds anything, what it cannot carry over, and names it", async () => {
      await appendSessions(["a"]);
      await consume();
      await caughtUp();
      await db.query(`create view mine as select task from sessions;
        create materialized view counted as select count(*) from plans;
        create table notes (session_id int references sessions (id), row plans);
        create function first_of(s sessions) returns int language sql as 'select 1';
        create sequence numbers owned by sessions.task;
        alter table sessions add column mine text;
        alter table plans alter column plan drop not null;
        alter table plans add constraint plans_agent foreign key (session_id) references sessions (id);
        create table heirs () inherits (guidance_notes)`);
      const progress: number[] = [];
      const refused = await rebuildReadModels(db, log, {
        onProgress: (events) => progress.push(events),
      }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "ATLAS_DATABASE_OCCUPIED" });
      expect(String(refused)).toContain(
        [
          "column mine of table public.sessions",
          "column plan of table public.plans",
          "column row of table public.notes",
          "constraint notes_session_id_fkey on table public.notes",
          "constraint plans_agent on table public.plans",
          "function public.first_of(public.sessions)",
          "materialized view public.counted",
          "sequence public.numbers",
          "table public.heirs",
          "view public.mine",
        ].join("; "),
      );
      expect(progress).toEqual([]);
      expect(await leftovers(db)).toEqual([]);
      expect((await db.query("select * from mine")).rows).toHaveLength(1);
    });

    it("replays a revised reward as the consumers saw it", async () => {
      const own = wholeSession("a");
      await log.append(
        [...own, ...factsOf(own), ...factsOf(own, { revision: 1, score: 0.25 })].map(log.mask),
      );
      const late = createEvent(
        "SessionErased",
        {
          event_id: randomUUID(),
          session_id: wholeSession("b")[0]!.meta.session_id!,
          source: "e",
          sequence: 1,
          occurred_at: 1,
          time_assumed: false,
        },
        { learning_key: "counting", author: "Ada" },
      );
      await log.append([...wholeSession("b"), late].map(log.mask));
      await consume();
      await caughtUp();
      const rows = await everything(db);
      expect(rows.sessions).toHaveLength(1);
      await rebuildReadModels(db, log);
      expect(await everything(db)).toEqual(rows);
    });
  });
});
