import type { Database } from "../../database/database.ts";
import { openPostgresLog } from "../../log/postgres/open-postgres-log.ts";
import { partitionOf } from "../../schemas/partition.ts";
import type { LogUnderTest } from "./contract.ts";

/** A log in a Postgres database, embedded or not. */
export async function postgresUnderTest(
  open: () => Promise<Database>,
  options: { embedded?: boolean; close?: () => Promise<void> } = {},
): Promise<LogUnderTest> {
  const db = await open();
  const databases: Database[] = [db];
  return {
    db,
    open: async (mask) => {
      const own = await open();
      databases.push(own);
      return openPostgresLog({ db: own, embedded: options.embedded ?? false, mask });
    },
    truncate: async (topic, partition, before) => {
      await db.query('delete from atlas_log.events where topic = $1 and partition = $2 and "offset" < $3', [
        topic,
        partition,
        before,
      ]);
    },
    poison: async (log, session) => {
      await db.query("select atlas_log.append($1::text[], $2::int[], $3::text[], $4::text[], $5::bytea[])", [
        ["atlas.sessions"],
        [partitionOf(session, log.partitions)],
        [session],
        [(await fingerprints(db))[0]],
        [Buffer.from("no event")],
      ]);
    },
    newer: async (log, session) => {
      await db.query("select atlas_log.append($1::text[], $2::int[], $3::text[], $4::text[], $5::bytea[])", [
        ["atlas.sessions"],
        [partitionOf(session, log.partitions)],
        [session],
        ["0123456789abcdef"],
        [Buffer.from("of tomorrow")],
      ]);
    },
    refuse: async (topic) => {
      const table = `atlas_log.events_${topic.replace("atlas.", "").replace("-", "_")}`;
      await db.query(
        `create function refuse() returns trigger language plpgsql as $$
           begin raise exception 'no write access' using errcode = 'insufficient_privilege'; end $$;
         create trigger refuse before insert on ${table} for each row execute function refuse()`,
      );
      return async () => {
        await db.query(`drop trigger refuse on ${table}`);
      };
    },
    close: async () => {
      for (const each of databases.reverse()) await each.close();
      await options.close?.();
    },
  };
}

const fingerprints = async (db: Database): Promise<string[]> =>
  (await db.query<{ fingerprint: string }>("select distinct fingerprint from atlas_log.events")).rows.map(
    (row) => row.fingerprint,
  );
