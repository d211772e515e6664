import { arrayBytes } from "../../database/array-bytes.ts";
import type { Database, Queryable } from "../../database/database.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { OutgoingRecord, Position } from "../event-log.ts";
import { toOutgoing } from "../outgoing.ts";
import type { AssignmentKey } from "./assignment-store.ts";
import type { Emitted } from "./unit-of-work.ts";

/** The group of a version of a processor. */
export const groupOfVersion = ({ name, version }: { name: string; version: number }): string =>
  `${name}@${version}`;

/** The processor and the version that a group is of; undefined for a group that has no versions. */
export function versionOfGroup(group: string): { name: string; version: number } | undefined {
  const [, name, version] = /^(.+)@(\d+)$/.exec(group) ?? [];
  return name === undefined ? undefined : { name, version: Number(version) };
}

/** An emission of a version that does not answer. */
export interface Shadowed {
  /** The fact that it comes from. */
  cause: Pick<Position, "topic" | "offset">;
  record: OutgoingRecord;
}

/**
 * Decides, once, whether a version answers in a partition: it does where no other version of its processor does, and where
 * this database is the one that answers on its log.
 *
 * @param answeredElsewhere asked when this database has no version of any processor yet
 */
export async function settleShadow(
  db: Database,
  { group, partition }: AssignmentKey,
  answeredElsewhere: () => Promise<boolean>,
): Promise<void> {
  const { name } = versionOfGroup(group)!;
  const { rows } = await db.query<{ settled: boolean; known: boolean }>(
    `select exists (select from atlas_log.processors) as known, exists (
       select from atlas_log.assignments where group_id = $1 and partition = $2 and shadow is not null) as settled`,
    [group, partition],
  );
  if (rows[0]!.settled) return;
  const elsewhere = rows[0]!.known ? false : await answeredElsewhere();
  await db.transaction(async (tx) => {
    // Whoever was first has decided before it published anything: what the log holds now may come from this database.
    await tx.query("select pg_advisory_xact_lock(hashtext('atlas versions'))");
    await tx.query(
      `insert into atlas_log.processors (name, elsewhere)
       select $1, coalesce(bool_and(elsewhere), $2) from atlas_log.processors on conflict do nothing`,
      [name, elsewhere],
    );
    await tx.query(
      `update atlas_log.assignments a
          set shadow = (select elsewhere from atlas_log.processors where name = $3) or exists (
            select from atlas_log.assignments o
             where o.partition = a.partition and o.group_id <> a.group_id and o.shadow = false
               and regexp_replace(o.group_id, '@\\d+$', '') = $3)
        where a.group_id = $1 and a.partition = $2 and a.shadow is null`,
      [group, partition, name],
    );
  });
}

/** Keeps what a version emits that does not answer. */
export async function putShadow(
  tx: Queryable,
  { group, partition }: AssignmentKey,
  emissions: readonly Shadowed[],
): Promise<void> {
  await tx.query(
    `insert into atlas_log.shadow (group_id, partition, cause_topic, cause_offset, fingerprint, body)
     select $1, $2, r.topic, r.at, r.fingerprint, r.body
       from unnest($3::text[], $4::bigint[], $5::text[], $6::bytea[]) as r(topic, at, fingerprint, body)`,
    [
      group,
      partition,
      emissions.map(({ cause }) => cause.topic),
      emissions.map(({ cause }) => cause.offset),
      emissions.map(({ record }) => record.fingerprint),
      arrayBytes(
        "bytea",
        emissions.map(({ record }) => record.body),
      ),
    ],
  );
}

/** Emissions of a unit as they are kept. */
export function shadowedOf(emitted: readonly Emitted[], partitions: number): Shadowed[] {
  const records = toOutgoing(
    emitted.map(({ event }) => event),
    partitions,
  );
  return emitted.map(({ cause: { topic, offset } }, index) => ({
    cause: { topic, offset },
    record: records[index]!,
  }));
}

/** Whether what a group emits in a partition, which the transaction has locked, is kept and not published. */
export async function isShadow(tx: Queryable, { group, partition }: AssignmentKey): Promise<boolean> {
  const { rows } = await tx.query<{ shadow: boolean | null }>(
    "select shadow from atlas_log.assignments where group_id = $1 and partition = $2",
    [group, partition],
  );
  return rows[0]?.shadow === true;
}

/** What a version kept in a partition, while it did not answer. */
export interface ShadowRow {
  number: number;
  causeTopic: Topic;
  causeOffset: number;
  fingerprint: string;
  body: Buffer;
}

/** The oldest that a version kept in a partition, behind a number. */
export async function readShadow(
  tx: Queryable,
  { group, partition }: AssignmentKey,
  after: number,
  limit: number,
): Promise<ShadowRow[]> {
  const { rows } = await tx.query<ShadowRow>(
    `select number::float8 as number, cause_topic as "causeTopic", cause_offset::float8 as "causeOffset", fingerprint, body
       from atlas_log.shadow where group_id = $1 and partition = $2 and number > $3 order by number limit $4`,
    [group, partition, after, limit],
  );
  return rows;
}

/** The role of a version in a partition. */
export interface VersionRole {
  group: string;
  partition: number;
  /** What it says is kept, and not published. */
  shadow: boolean;
}

/** Which versions of processors this database has, and where they answer: a partition counts once its first member has begun. */
export async function versionRoles(db: Queryable): Promise<VersionRole[]> {
  const { rows } = await db.query<VersionRole>(
    `select group_id as "group", partition, shadow from atlas_log.assignments
      where group_id ~ '@\\d+$' and shadow is not null order by group_id, partition`,
  );
  return rows;
}

/** Locks what two groups have of a partition: neither applies anything until the transaction ends. */
export async function lockVersions(
  tx: Queryable,
  groups: readonly string[],
  partition: number,
): Promise<void> {
  await tx.query(
    `select from atlas_log.assignments where group_id = any($1) and partition = $2 order by group_id for update`,
    [groups, partition],
  );
}

/**
 * Lets one version answer in a partition in the place of another. Both speak as one source: what either says next comes
 * behind all that was said.
 *
 * @param emitted the last sequence that was published for a key
 */
export async function letAnswer(
  tx: Queryable,
  partition: number,
  { to, from, emitted }: { to: string; from: string | undefined; emitted: ReadonlyMap<string, number> },
): Promise<void> {
  await tx.query("delete from atlas_log.shadow where group_id = $1 and partition = $2", [to, partition]);
  await tx.query("update atlas_log.processors set elsewhere = false where name = $1", [
    versionOfGroup(to)!.name,
  ]);
  await tx.query(
    `update atlas_log.assignments set shadow = group_id <> $1
      where group_id = any($2) and partition = $3`,
    [to, from === undefined ? [to] : [to, from], partition],
  );
  if (from !== undefined) {
    await tx.query(
      `insert into atlas_log.state as s (group_id, partition, key, version, emitted, state)
       select $1, o.partition, o.key, $4, o.emitted, null from atlas_log.state o
        where o.group_id = $2 and o.partition = $3 and o.emitted > 0
       on conflict (group_id, partition, key) do update set emitted = greatest(s.emitted, excluded.emitted)`,
      [to, from, partition, versionOfGroup(to)!.version],
    );
  }
  await tx.query(
    `update atlas_log.state s set emitted = greatest(s.emitted, e.emitted)
       from unnest($3::text[], $4::bigint[]) as e(key, emitted)
      where s.group_id = $1 and s.partition = $2 and s.key = e.key`,
    [to, partition, [...emitted.keys()], [...emitted.values()]],
  );
}

/** How many events each of these keys has emitted in a group. */
export async function emittedOf(
  tx: Queryable,
  { group, partition }: AssignmentKey,
  keys: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ key: string; emitted: number }>(
    `select key, emitted::float8 as emitted from atlas_log.state
      where group_id = $1 and partition = $2 and key = any($3)`,
    [group, partition, keys],
  );
  return new Map(rows.map(({ key, emitted }) => [key, emitted]));
}

/** What the log says of one cause: how often it was revised, and what the last of these results hold. */
export interface Answer {
  cause: string;
  type: string;
  revision: number;
  /** Digests of the results of that revision, in their order. */
  digests: string[];
}

/** Forgets what a promotion has noted, and what others have that were killed. */
export async function forgetAnswers(tx: Queryable, promotion: string): Promise<void> {
  await tx.query(
    "delete from atlas_log.answers where promotion = $1 or noted_at < now() - interval '1 day'",
    [promotion],
  );
}

/** What was noted of these causes. */
export async function loadAnswers(
  tx: Queryable,
  promotion: string,
  causes: readonly string[],
): Promise<Map<string, Answer>> {
  const { rows } = await tx.query<Answer>(
    `select cause, type, revision, digests from atlas_log.answers where promotion = $1 and cause = any($2::uuid[])`,
    [promotion, causes],
  );
  return new Map(rows.map((answer) => [`${answer.cause} ${answer.type}`, answer]));
}

/** Notes answers in the place of those of the same causes. */
export async function saveAnswers(
  tx: Queryable,
  promotion: string,
  answers: readonly Answer[],
): Promise<void> {
  await tx.query(
    `insert into atlas_log.answers (promotion, cause, type, revision, digests)
     select $1, a.cause, a.type, a.revision, string_to_array(a.digests, ' ')
       from unnest($2::uuid[], $3::text[], $4::int[], $5::text[]) as a(cause, type, revision, digests)
     on conflict (promotion, cause, type) do update set revision = excluded.revision, digests = excluded.digests`,
    [
      promotion,
      answers.map(({ cause }) => cause),
      answers.map(({ type }) => type),
      answers.map(({ revision }) => revision),
      answers.map(({ digests }) => digests.join(" ")),
    ],
  );
}

/** Forgets all that a database has of a group. */
export async function forgetGroup(tx: Queryable, group: string): Promise<void> {
  for (const table of ["shadow", "state", "sequences", "checkpoints", "group_starts", "assignments"])
    await tx.query(`delete from atlas_log.${table} where group_id = $1`, [group]);
}

/** How many records of a group wait in its outbox, in one partition or in all. */
export async function outboxOf(tx: Queryable, group: string, partition?: number): Promise<number> {
  const { rows } = await tx.query<{ count: number }>(
    `select count(*)::int as count from atlas_log.outbox
      where group_id = $1 and ($2::int is null or partition = $2)`,
    [group, partition ?? null],
  );
  return rows[0]!.count;
}

/** How many emissions a group keeps that it has not been allowed to publish. */
export async function countShadows(db: Database): Promise<Map<string, number>> {
  const { rows } = await db.query<{ group: string; count: number }>(
    'select group_id as "group", count(*)::int as count from atlas_log.shadow group by group_id',
  );
  return new Map(rows.map(({ group, count }) => [group, count]));
}

/** The schemas of what a group keeps. */
export async function shadowSchemas(db: Queryable, group: string): Promise<string[]> {
  const { rows } = await db.query<{ fingerprint: string }>(
    "select distinct fingerprint from atlas_log.shadow where group_id = $1",
    [group],
  );
  return rows.map(({ fingerprint }) => fingerprint);
}
