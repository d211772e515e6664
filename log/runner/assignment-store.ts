import { arrayBytes } from "../../database/array-bytes.ts";
import type { Queryable } from "../../database/database.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { EventLog, OutgoingRecord } from "../event-log.ts";

/** Where an assignment stands in one of its topics. */
export interface Checkpoint {
  nextOffset: number;
  /** Digest of the record before `nextOffset`; undefined at the start of the log. */
  digest: string | undefined;
}

/** Names one assignment of a group. */
export interface AssignmentKey {
  group: string;
  partition: number;
}

/** Takes an assignment over: older owners are fenced from now on. Returns the new epoch. */
export async function takeOver(
  tx: Queryable,
  key: AssignmentKey,
  member: string,
  logId: string,
): Promise<number> {
  const { rows } = await tx.query<{ epoch: number; log_id: string }>(
    `insert into atlas_log.assignments as a (group_id, partition, log_id, epoch, member)
     values ($1, $2, $3, 1, $4)
     on conflict (group_id, partition) do update set epoch = a.epoch + 1, member = excluded.member
     returning epoch::int as epoch, log_id`,
    [key.group, key.partition, logId, member],
  );
  const row = rows[0]!;
  if (row.log_id !== logId) {
    throw new AtlasError(
      "ATLAS_LOG_REPLACED",
      `group ${key.group} read the log ${row.log_id}, and this one is ${logId}`,
      {
        where: `partition ${key.partition}`,
        hint: "Point it at the log that it read before, or use another database for this log.",
      },
    );
  }
  return row.epoch;
}

/**
 * Locks the assignment for this transaction and makes sure that it is still ours.
 *
 * @returns the next offset of the topic as it is committed, where one is, and whether what the group emits is kept and not published
 * @throws AtlasError ATLAS_ASSIGNMENT_LOST
 */
export async function lockAssignment(
  tx: Queryable,
  key: AssignmentKey,
  epoch: number,
  topic: Topic,
): Promise<{ nextOffset: number | undefined; shadow: boolean }> {
  const { rows } = await tx.query<{ epoch: number; next_offset: number | null; shadow: boolean | null }>(
    `select a.epoch::int as epoch, a.shadow, c.next_offset::float8 as next_offset
       from atlas_log.assignments a
       left join atlas_log.checkpoints c on c.group_id = a.group_id and c.partition = a.partition and c.topic = $3
      where a.group_id = $1 and a.partition = $2 for update of a`,
    [key.group, key.partition, topic],
  );
  const row = rows[0];
  if (row?.epoch !== epoch) throw notOurs(key);
  return { nextOffset: row.next_offset ?? undefined, shadow: row.shadow === true };
}

/** Locks assignments of a group for this transaction, whoever owns them: their owners wait meanwhile. */
export async function lockAssignments(tx: Queryable, group: string, partition?: number): Promise<void> {
  await tx.query(
    `select from atlas_log.assignments
      where group_id = $1 and ($2::int is null or partition = $2) order by partition for update`,
    [group, partition ?? null],
  );
}

/** The log that groups of this database read, where its events are not in the database itself. */
export async function logElsewhere(db: Queryable): Promise<{ id: string; partitions: number } | undefined> {
  const { rows } = await db.query<{ id: string; partitions: number }>(
    `select log_id as id, max(partition) + 1 as partitions from atlas_log.assignments
      where log_id not in (select id::text from atlas_log.log) group by log_id limit 1`,
  );
  return rows[0];
}

/** The checkpoints of an assignment, by topic. */
export async function loadCheckpoints(tx: Queryable, key: AssignmentKey): Promise<Map<Topic, Checkpoint>> {
  const { rows } = await tx.query<{ topic: Topic; next_offset: number; digest: string | null }>(
    "select topic, next_offset::float8 as next_offset, digest from atlas_log.checkpoints where group_id = $1 and partition = $2",
    [key.group, key.partition],
  );
  return new Map(
    rows.map((row) => [row.topic, { nextOffset: row.next_offset, digest: row.digest ?? undefined }]),
  );
}

/** Saves a topic's checkpoint. */
export async function saveCheckpoint(
  tx: Queryable,
  key: AssignmentKey,
  topic: Topic,
  checkpoint: Checkpoint,
): Promise<void> {
  await tx.query(
    `insert into atlas_log.checkpoints (group_id, topic, partition, next_offset, digest) values ($1, $2, $3, $4, $5)
     on conflict (group_id, topic, partition) do update set next_offset = excluded.next_offset, digest = excluded.digest`,
    [key.group, topic, key.partition, checkpoint.nextOffset, checkpoint.digest ?? null],
  );
}

/** Puts a group that has applied nothing of a topic to where it begins: where nothing comes behind, it is there already. */
export async function saveBegins(
  tx: Queryable,
  { group, partition }: AssignmentKey,
  begins: readonly { topic: Topic; nextOffset: number }[],
): Promise<void> {
  for (const { topic, nextOffset } of begins)
    if (nextOffset > 0)
      await tx.query(
        `insert into atlas_log.checkpoints (group_id, topic, partition, next_offset) values ($1, $2, $3, $4)
         on conflict do nothing`,
        [group, topic, partition, nextOffset],
      );
}

/**
 * Puts records into the outbox, behind all that were ever there. Their numbers come from a counter that never restarts,
 * whose row the caller's transaction has locked.
 */
export async function putOutbox(
  tx: Queryable,
  key: AssignmentKey,
  records: readonly OutgoingRecord[],
): Promise<void> {
  const { rowCount } = await tx.query(
    `with place as (
       update atlas_log.assignments set emitted = emitted + $8
        where group_id = $1 and partition = $2 returning emitted - $8 as last)
     insert into atlas_log.outbox (group_id, partition, number, topic, target_partition, key, fingerprint, body)
     select $1, $2, place.last + r.ordinal, r.topic, r.target, r.key, r.fingerprint, r.body
       from place, unnest($3::text[], $4::int[], $5::text[], $6::text[], $7::bytea[])
            with ordinality as r(topic, target, key, fingerprint, body, ordinal)`,
    [key.group, key.partition, ...columnsOf(records), records.length],
  );
  if (rowCount === records.length) return;
  throw new AtlasError(
    "ATLAS_ASSIGNMENT_LOST",
    `partition ${key.partition} of ${key.group} was never claimed`,
  );
}

/**
 * Publishes records in the caller's transaction, which has locked the assignment: right into the log where it is in the same
 * database, else by way of the outbox.
 */
export const publishInUnit = (
  tx: Queryable,
  { appendInUnit }: Pick<EventLog, "appendInUnit">,
  key: AssignmentKey,
  records: readonly OutgoingRecord[],
): Promise<void> => (appendInUnit === undefined ? putOutbox(tx, key, records) : appendInUnit(tx, records));

/** Records as the parallel arrays that UNNEST takes. */
export function columnsOf(records: readonly OutgoingRecord[]): unknown[] {
  const texts = (of: (record: OutgoingRecord) => string): Buffer => arrayBytes("text", records.map(of));
  return [
    texts(({ topic }) => topic),
    records.map(({ partition }) => partition),
    texts(({ key }) => key),
    texts(({ fingerprint }) => fingerprint),
    arrayBytes(
      "bytea",
      records.map(({ body }) => body),
    ),
  ];
}

/** What an owner publishes next. */
export interface OutboxPage {
  /** The oldest records, in order. */
  records: OutgoingRecord[];
  /** The number of the last of them. */
  last: number;
}

/**
 * The oldest records of the outbox, for who owns the assignment.
 *
 * @throws AtlasError ATLAS_ASSIGNMENT_LOST
 */
export async function readOutbox(
  db: Queryable,
  key: AssignmentKey,
  epoch: number,
  limit: number,
): Promise<OutboxPage> {
  const { rows } = await db.query<OutgoingRecord & { number: number | null }>(
    `select o.number::float8 as number, o.topic, o.target_partition as partition, o.key, o.fingerprint, o.body
       from atlas_log.assignments a
       left join atlas_log.outbox o on o.group_id = a.group_id and o.partition = a.partition
      where a.group_id = $1 and a.partition = $2 and a.epoch = $3 order by o.number limit $4`,
    [key.group, key.partition, epoch, limit],
  );
  if (rows.length === 0) throw notOurs(key);
  const records = rows.filter(({ number }) => number !== null);
  return { records, last: records.at(-1)?.number ?? 0 };
}

/**
 * Forgets outbox records that the log has acknowledged, for who owns the assignment: nobody else may, whatever it has
 * published. The numbers alone would do, and the epoch alone would do.
 *
 * @throws AtlasError ATLAS_ASSIGNMENT_LOST
 */
export async function clearOutbox(
  db: Queryable,
  key: AssignmentKey,
  epoch: number,
  last: number,
): Promise<void> {
  const { rows } = await db.query<{ ours: boolean }>(
    `with ours as (
       select from atlas_log.assignments where group_id = $1 and partition = $2 and epoch = $3 for share),
     published as (
       delete from atlas_log.outbox
        where group_id = $1 and partition = $2 and number <= $4 and exists (select from ours))
     select exists (select from ours) as ours`,
    [key.group, key.partition, epoch, last],
  );
  if (rows[0]?.ours !== true) throw notOurs(key);
}

/** How many records wait in the outbox, by group; those of which none waits are left out. */
export async function countOutboxes(db: Queryable): Promise<{ group: string; count: number }[]> {
  const { rows } = await db.query<{ group: string; count: number }>(
    'select group_id as "group", count(*)::int as count from atlas_log.outbox group by group_id',
  );
  return rows;
}

/** The partitions of a group for which something waits in the outbox. */
export async function partitionsWithOutbox(db: Queryable, group: string): Promise<number[]> {
  const { rows } = await db.query<{ partition: number }>(
    "select distinct partition from atlas_log.outbox where group_id = $1",
    [group],
  );
  return rows.map(({ partition }) => partition);
}

const notOurs = ({ group, partition }: AssignmentKey): AtlasError =>
  new AtlasError("ATLAS_ASSIGNMENT_LOST", `partition ${partition} of ${group} belongs to another member now`);
