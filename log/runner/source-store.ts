import type { Queryable } from "../../database/database.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import type { Speaker } from "../../schemas/sources.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { AssignmentKey } from "./assignment-store.ts";

/** The inputs of one assignment that come from one topic. */
export interface SourcePlace {
  key: AssignmentKey;
  topic: Topic;
}

/** How the log closed a session. */
export interface Closed {
  /** Offset of the record that closed it, in `atlas.sessions`. */
  at: number;
  /** The last of the session's own sequences up to there; 0 where there is none. */
  lastSequence: number;
  closer: Speaker;
}

/** What all groups know of a session, because the log says so. */
export interface SessionMarks {
  closed?: Closed | undefined;
  /** Offset of its reward, in `atlas.rewards`. */
  rewardedAt?: number | undefined;
}

/** What was seen of sources. */
export interface KnownSources {
  /** The last sequence of each source that has a row of its own. */
  sequences: Map<string, number>;
  marks: Map<Uuid, SessionMarks>;
}

/** In the order of their numbers in the database. */
const CLOSERS: readonly Speaker[] = ["session", "judges", "reaper"];

interface SourceRow {
  name: string;
  sequence: number;
  marks: boolean;
  closed_at: number | null;
  closer: number;
  rewarded_at: number | null;
}

/** What a group has seen of these sources, and what all groups know of these sessions: one statement. */
export async function loadSources(
  db: Queryable,
  { key, topic }: SourcePlace,
  sources: readonly string[],
  sessions: readonly Uuid[],
): Promise<KnownSources> {
  const { rows } = await db.query<SourceRow>(
    `select source as name, sequence::float8 as sequence, false as marks,
            null::float8 as closed_at, null::int as closer, null::float8 as rewarded_at
       from atlas_log.sequences where group_id = $1 and topic = $2 and partition = $3 and source = any($4)
     union all
     select session_uuid::text, last_sequence, true, closed_at, closer, rewarded_at
       from atlas_log.session_ids where session_uuid = any($5::uuid[])`,
    [key.group, topic, key.partition, sources, sessions],
  );
  const known: KnownSources = { sequences: new Map(), marks: new Map() };
  for (const { name, sequence, marks, closed_at, closer, rewarded_at } of rows) {
    if (!marks) {
      known.sequences.set(name, sequence);
      continue;
    }
    known.marks.set(name, {
      closed:
        closed_at === null ? undefined : { at: closed_at, lastSequence: sequence, closer: CLOSERS[closer]! },
      rewardedAt: rewarded_at ?? undefined,
    });
  }
  return known;
}

/** Saves the last sequence of each of these sources, and drops the rows of others. */
export async function saveSources(
  tx: Queryable,
  { key, topic }: SourcePlace,
  { saved, dropped }: { saved: ReadonlyMap<string, number>; dropped: readonly string[] },
): Promise<void> {
  const place = [key.group, topic, key.partition];
  if (saved.size > 0)
    await tx.query(
      `insert into atlas_log.sequences (group_id, topic, partition, source, sequence)
       select $1, $2, $3, s.source, s.sequence from unnest($4::text[], $5::bigint[]) as s(source, sequence)
       on conflict (group_id, topic, partition, source) do update set sequence = excluded.sequence`,
      [...place, [...saved.keys()], [...saved.values()]],
    );
  if (dropped.length > 0)
    await tx.query(
      "delete from atlas_log.sequences where group_id = $1 and topic = $2 and partition = $3 and source = any($4)",
      [...place, dropped],
    );
}

/** Sessions get their row in the order of their ids, so that no two units wait for each other. */
const MARKED = `
  left join atlas_log.session_ids known on known.session_uuid = marked.uuid order by marked.uuid
  on conflict (session_uuid) do update set`;
const ID = "coalesce(known.id, nextval('atlas_log.session_id_sequence')::int)";

/** Says for all groups how the log closed sessions. Of two words the one that stands first in the log counts. */
export async function markClosed(tx: Queryable, sessions: ReadonlyMap<Uuid, Closed>): Promise<void> {
  if (sessions.size === 0) return;
  const closed = [...sessions.values()];
  await tx.query(
    `insert into atlas_log.session_ids as m (session_uuid, id, closed_at, last_sequence, closer)
     select marked.uuid, ${ID}, marked.closed_at, marked.last_sequence, marked.closer
       from unnest($1::uuid[], $2::bigint[], $3::int[], $4::smallint[])
            as marked(uuid, closed_at, last_sequence, closer)
     ${MARKED} closed_at = excluded.closed_at, last_sequence = excluded.last_sequence, closer = excluded.closer
      where m.closed_at is null or m.closed_at > excluded.closed_at`,
    [
      [...sessions.keys()],
      closed.map(({ at }) => at),
      closed.map(({ lastSequence }) => lastSequence),
      closed.map(({ closer }) => CLOSERS.indexOf(closer)),
    ],
  );
}

/** Says for all groups where the rewards of sessions stand. Of two places the first one counts. */
export async function markRewarded(tx: Queryable, sessions: ReadonlyMap<Uuid, number>): Promise<void> {
  if (sessions.size === 0) return;
  await tx.query(
    `insert into atlas_log.session_ids as m (session_uuid, id, rewarded_at)
     select marked.uuid, ${ID}, marked.rewarded_at
       from unnest($1::uuid[], $2::int[]) as marked(uuid, rewarded_at)
     ${MARKED} rewarded_at = excluded.rewarded_at
      where m.rewarded_at is null or m.rewarded_at > excluded.rewarded_at`,
    [[...sessions.keys()], [...sessions.values()]],
  );
}

const SAME_PLACE = "and (c.group_id, c.topic, c.partition) = (s.group_id, s.topic, s.partition)";

/**
 * Drops the rows of sources whose session has its end marked, for each group that has passed that end. A database that an
 * earlier version wrote has such rows, until a rebuild has marked where its sessions end.
 */
export async function dropMarkedSources(db: Queryable): Promise<void> {
  await db.query(
    `delete from atlas_log.sequences s using atlas_log.session_ids marked, atlas_log.checkpoints c
      where s.topic = 'atlas.sessions' and s.source = marked.session_uuid::text
        and s.sequence <= marked.last_sequence and marked.closed_at < c.next_offset ${SAME_PLACE}`,
  );
  await db.query(
    `delete from atlas_log.sequences s using atlas_log.session_ids marked, atlas_log.checkpoints c
      where s.topic = 'atlas.rewards' and s.source = 'session-rewards/' || marked.session_uuid
        and s.sequence <= 1 and marked.rewarded_at < c.next_offset ${SAME_PLACE}`,
  );
}
