import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../database/database.ts";
import type { Consumer, EventLog } from "../../log/event-log.ts";
import { openPostgresLog } from "../../log/postgres/open-postgres-log.ts";
import { createReadModels } from "../../projections/read-models.ts";
import { rebuildReadModels } from "../../projections/rebuild.ts";
import { TOPICS } from "../../schemas/topics.ts";
import { factsOf, wholeSession } from "../traces/sessions.ts";
import { DATABASES } from "./databases.ts";

/** Everything that the catalog says of the read models, by name: what is made anew has other numbers. */
const CATALOG = {
  tables: `select c.relname::text, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relreplident,
       t.reloptions as toast, c.relowner::regrole::text, coalesce(c.relacl, acldefault('r', c.relowner))::text[] as acl
       from pg_class c left join pg_class t on t.oid = c.reltoastrelid
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1`,
  columns: `select attrelid::regclass::text as of, attname::text, coalesce(attstattarget, -1)::int as target, attoptions,
       attstorage, to_jsonb(a) ->> 'attcompression' as compression, attacl::text[]
       from pg_attribute a join pg_class c on c.oid = attrelid
      where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0 order by 1, attnum`,
  policies: "select * from pg_policies order by tablename, policyname",
  indexes: `select i.relname::text, pg_get_indexdef(i.oid), indisclustered, indisreplident
       from pg_index x join pg_class i on i.oid = indexrelid
      where i.relnamespace = 'public'::regnamespace order by 1`,
  constraints: `select conrelid::regclass::text as of, conname::text, pg_get_constraintdef(oid) from pg_constraint
      where connamespace = 'public'::regnamespace order by 1, 2`,
  triggers: `select pg_get_triggerdef(oid), tgenabled from pg_trigger where not tgisinternal order by tgname`,
  rules:
    "select pg_get_ruledef(oid), ev_enabled from pg_rewrite where ev_class::regclass::text = 'plans' order by rulename",
  statistics: "select pg_get_statisticsobjdef(oid) from pg_statistic_ext order by stxname",
  publications: "select * from pg_publication_tables order by pubname, tablename",
  comments: `select pg_describe_object(classoid, objoid, objsubid) as what, description from pg_description
      where description like 'mine%' order by 1`,
};

async function catalogOf(db: Database): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const [name, sql] of Object.entries(CATALOG)) found[name] = (await db.query(sql)).rows;
  return found;
}

describe.each(DATABASES)(
  "what users attach to the read models, after a rebuild on $name",
  ({ skip, open }) => {
    describe.skipIf(skip)("", () => {
      let db: Database;
      let log: EventLog;
      let consumer: Consumer | undefined;
      // Roles belong to the whole server.
      const reader = `atlas_acme_${randomUUID().slice(0, 8)}`;

      beforeEach(async () => {
        db = await open();
        log = await openPostgresLog({ db, partitions: 2, embedded: db.address.startsWith("embedded") });
        const { apply, forget } = createReadModels();
        consumer = await log.consume(
          { group: "read-models", topics: TOPICS, onAssignmentChange: forget },
          apply,
        );
        for (const [name, learningKey] of [
          ["a", "acme"],
          ["b", "globex"],
        ] as const) {
          const own = wholeSession(name, { learningKey });
          await log.append([...own, ...factsOf(own)].map(log.mask));
        }
        await log.caughtUp("read-models", await log.ends(TOPICS), { timeoutMs: 60_000 });
        await db.query(`create role ${reader}`);
      });
      afterEach(async () => {
        await db?.query(`drop owned by ${reader}; drop role ${reader}`).catch(() => undefined);
        await consumer?.stop();
        await log?.close();
        await db?.close();
      });

      const seenBy = (role: string): Promise<string[]> =>
        db.transaction(async (tx) => {
          await tx.query(`set local role ${role}`);
          const { rows } = await tx.query<{ learning_key: string }>(
            "select s.learning_key from sessions s join plans p on p.session_id = s.id order by 1",
          );
          return rows.map(({ learning_key }) => learning_key);
        });

      it("is as it was: a tenant's reader sees its own rows, and no more", async () => {
        await db.query(
          `
        grant select on sessions, plans to ${reader};
        grant update (task) on sessions to ${reader};
        alter table sessions enable row level security;
        alter table plans enable row level security;
        alter table plans force row level security;
        create policy tenant on sessions for select to ${reader} using (learning_key = 'acme');
        create policy strict on sessions as restrictive for update to public using (true) with check (task <> '');
        create policy theirs on plans using (exists (select 1 from sessions s where s.id = session_id));
        comment on policy tenant on sessions is 'mine: acme';

        create index mine_task_idx on sessions using gin (to_tsvector('english', task)) where status = 'succeeded';
        create index "Mine ""odd""" on plans ((plan ->> 'x')) include (session_id) with (fillfactor = 70);
        create unique index mine_unique_idx on sessions (session_uuid, id);
        drop index sessions_lane_idx;
        create index sessions_lane_idx on sessions (lane);
        comment on index mine_task_idx is 'mine: full text';
        alter table sessions add constraint mine_check check (char_length(task) < 1000000) not valid;
        alter table sessions add constraint mine_key unique (id, session_uuid) deferrable;
        comment on constraint mine_check on sessions is 'mine: short';
        cluster sessions using sessions_created_at_idx;

        create table seen (id int);
        create function note_session() returns trigger language plpgsql as
          'begin insert into public.seen values (new.id); return null; end';
        create trigger mine_new after insert or update on sessions for each row
          when (new.status = 'succeeded') execute function note_session();
        create constraint trigger mine_late after insert on plans deferrable initially deferred
          for each row execute function note_session();
        alter table plans disable trigger mine_late;
        comment on trigger mine_new on sessions is 'mine: note';
        create rule mine_rule as on delete to plans where old.session_id < 0 do instead nothing;
        alter table plans disable rule mine_rule;
        comment on rule mine_rule on plans is 'mine: none';

        comment on table sessions is 'mine: it''s the sessions';
        comment on column sessions.task is 'mine: what was asked';
        alter table sessions set (autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_enabled = false);
        alter table step_results reset (fillfactor);
        alter table sessions alter column task set statistics 500;
        alter table sessions alter column agent set (n_distinct = 12);
        alter table plans alter column plan set storage external;
        alter table plans replica identity full;
        alter table sessions replica identity using index mine_unique_idx;
        create statistics mine_statistics (ndistinct, dependencies) on agent, lane from sessions;
        create publication ${reader}_p for table plans, only sessions (id, task, session_uuid) where (id > 0)
      `.replace("only sessions", "sessions"),
        );
        const before = await catalogOf(db);
        expect(before["policies"]).toHaveLength(3);
        expect(before["comments"]).toHaveLength(7);
        expect(await seenBy(reader)).toEqual(["acme"]);

        expect(await rebuildReadModels(db, log)).toMatchObject({ sessions: 2 });
        expect(await catalogOf(db)).toEqual(before);
        expect(await seenBy(reader)).toEqual(["acme"]);
        // What was built anew was no news to the trigger; what comes now is.
        expect((await db.query("select * from seen")).rows).toEqual([]);
        await db.query("update sessions set task = task");
        expect((await db.query("select * from seen")).rows).toHaveLength(2);
        await rebuildReadModels(db, log);
        expect(await catalogOf(db)).toEqual(before);
      });

      it("gives nobody a right by default that the live tables do not give", async () => {
        await db.query(`alter default privileges grant select on tables to ${reader}`);
        const before = await catalogOf(db);
        await rebuildReadModels(db, log);
        expect(await catalogOf(db)).toEqual(before);
        await expect(seenBy(reader)).rejects.toMatchObject({ code: "42501" });
        await db.query(`alter default privileges revoke select on tables from ${reader}`);
      });
    });
  },
);
