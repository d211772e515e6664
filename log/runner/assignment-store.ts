import type { Queryable } from "../../database/database.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { OutgoingRecord } from "../event-log.ts";

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
 * @returns the next offset of the topic as it is committed
 * @throws AtlasError ATLAS_ASSIGNMENT_LOST
 */
export async function lockAssignment(
  tx: Queryable,
  key: AssignmentKey,
  epoch: number,
  topic: Topic,
): Promise<number> {
  const { rows } = await tx.query<{ epoch: number; next_offset: number | null }>(
    `select a.epoch::int as epoch, c.next_offset::float8 as next_offset
       from atlas_log.assignments a
       left join atlas_log.checkpoints c on c.group_id = a.group_id and c.partition = a.partition and c.topic = $3
      where a.group_id = $1 and a.partition = $2 for update of a`,
    [key.group, key.partition, topic],
  );
  const row = rows[0];
  if (row?.epoch !== epoch) {
    throw new AtlasError(
      "ATLAS_ASSIGNMENT_LOST",
      `partition ${key.partition} of ${key.group} belongs to another member now`,
    );
  }
  return row.next_offset ?? 0;
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

/** The last sequence seen of each of these sources. */
export async function loadSequences(
  tx: Queryable,
  key: AssignmentKey,
  topic: Topic,
  sources: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ source: string; sequence: number }>(
    `select source, sequence::float8 as sequence from atlas_log.sequences
      where group_id = $1 and topic = $2 and partition = $3 and source = any($4)`,
    [key.group, topic, key.partition, sources],
  );
  return new Map(rows.map((row) => [row.source, row.sequence]));
}

/** Saves the last sequence seen of each source. */
export async function saveSequences(
  tx: Queryable,
  key: AssignmentKey,
  topic: Topic,
  sequences: ReadonlyMap<string, number>,
): Promise<void> {
  if (sequences.size === 0) return;
  await tx.query(
    `insert into atlas_log.sequences (group_id, topic, partition, source, sequence)
     select $1, $2, $3, s.source, s.sequence from unnest($4::text[], $5::bigint[]) as s(source, sequence)
     on conflict (group_id, topic, partition, source) do update set sequence = excluded.sequence`,
    [key.group, topic, key.partition, [...sequences.keys()], [...sequences.values()]],
  );
}

/** Puts records into the outbox, behind those that are there. */
export async function putOutbox(
  tx: Queryable,
  key: AssignmentKey,
  records: readonly OutgoingRecord[],
): Promise<void> {
  await tx.query(
    `insert into atlas_log.outbox (group_id, partition, number, topic, target_partition, key, fingerprint, body)
     select $1, $2, coalesce((select max(number) from atlas_log.outbox where group_id = $1 and partition = $2), 0) + r.ordinal,
            r.topic, r.target, r.key, r.fingerprint, r.body
       from unnest($3::text[], $4::int[], $5::text[], $6::text[], $7::bytea[])
            with ordinality as r(topic, target, key, fingerprint, body, ordinal)`,
    [key.group, key.partition, ...columnsOf(records)],
  );
}

/** Records as the parallel arrays that UNNEST takes. */
export function columnsOf(records: readonly OutgoingRecord[]): unknown[] {
  return [
    records.map((record) => record.topic),
    records.map((record) => record.partition),
    records.map((record) => record.key),
    records.map((record) => record.fingerprint),
    records.map((record) => record.body),
  ];
}

/** The oldest records of the outbox, in order, with the number of the last one. */
export async function readOutbox(
  tx: Queryable,
  key: AssignmentKey,
  limit: number,
): Promise<{ records: OutgoingRecord[]; last: number }> {
  const { rows } = await tx.query<OutgoingRecord & { number: number }>(
    `select number::float8 as number, topic, target_partition as partition, key, fingerprint, body
       from atlas_log.outbox where group_id = $1 and partition = $2 order by number limit $3`,
    [key.group, key.partition, limit],
  );
  return { records: rows, last: rows.at(-1)?.number ?? 0 };
}

/** Forgets outbox records that the log has acknowledged. */
export async function clearOutbox(tx: Queryable, key: AssignmentKey, last: number): Promise<void> {
  await tx.query("delete from atlas_log.outbox where group_id = $1 and partition = $2 and number <= $3", [
    key.group,
    key.partition,
    last,
  ]);
}
