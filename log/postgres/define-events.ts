import type { Database } from "../../database/database.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { addSchema } from "../../schemas/codec.ts";
import {
  type EventDescription,
  isDefined,
  rememberFromLog,
  type UserTopic,
} from "../../schemas/event-definitions.ts";
import { learnEarlierSchemas } from "../earlier-schemas.ts";

interface Row {
  type: string;
  fingerprint: string;
  version: number;
  topic: string;
  key: string | null;
  schema: string;
}

const moved = (type: string, what: string, was: string, is: string, where: string): AtlasError =>
  new AtlasError("ATLAS_SCHEMA_INCOMPATIBLE", `the ${what} of ${type} was ${was}, and is now ${is}`, {
    where,
    hint: `Leave it as it was, or give the event another name: those in the log stay where they are.`,
  });

/**
 * Makes a log on Postgres ready for events that users defined: their topics, and their schemas beside the earlier versions.
 *
 * @throws AtlasError ATLAS_SCHEMA_INCOMPATIBLE
 */
export async function defineEvents(
  db: Database,
  partitions: number,
  descriptions: readonly EventDescription[],
): Promise<void> {
  for (const description of descriptions) {
    const { type, topic, key, fingerprint, schema } = description;
    await db.transaction(async (tx) => {
      // One at a time: versions of one event are numbered.
      await tx.query("lock table atlas_log.event_schemas in share row exclusive mode");
      await tx.query(
        `insert into atlas_log.partitions (topic, partition)
         select $1, p from generate_series(0, $2::int - 1) as p on conflict do nothing`,
        [topic, partitions],
      );
      const { rows } = await tx.query<Row>(
        "select type, fingerprint, version, topic, key, schema from atlas_log.event_schemas where type = $1 order by version",
        [type],
      );
      const last = rows.at(-1);
      if (last !== undefined && last.topic !== topic)
        throw moved(type, "topic", last.topic, topic, db.address);
      if (last !== undefined && last.key !== (key ?? null))
        throw moved(type, "key", last.key ?? "the session", key ?? "the session", db.address);
      await learnEarlierSchemas(
        description,
        rows.map((row) => row.schema),
        db.address,
      );
      if (rows.some((row) => row.fingerprint === fingerprint)) return;
      await tx.query(
        `insert into atlas_log.event_schemas (fingerprint, type, version, topic, key, schema)
         values ($1, $2, $3, $4, $5, $6)`,
        [fingerprint, type, (last?.version ?? 0) + 1, topic, key ?? null, schema],
      );
    });
  }
}

/** Every event of users that a log on Postgres has; all its versions can be read from now on. */
export async function definitionsOf(db: Database): Promise<EventDescription[]> {
  const { rows } = await db.query<Row>(
    "select type, fingerprint, version, topic, key, schema from atlas_log.event_schemas order by type, version",
  );
  const latest = new Map(rows.map((row) => [row.type, row]));
  for (const { type, version, fingerprint, schema } of rows) {
    const earlier = isDefined(type) || latest.get(type)?.fingerprint !== fingerprint;
    addSchema({ name: type, version, fingerprint, schema }, { earlier });
  }
  return [...latest.values()].map(({ type, topic, key, fingerprint, schema }) => {
    const description = { type, topic: topic as UserTopic, key: key ?? undefined, fingerprint, schema };
    rememberFromLog(description);
    return description;
  });
}
