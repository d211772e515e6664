import type { Queryable } from "../../database/database.ts";
import { rewardSourceOf } from "../../schemas/sources.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { DeadLetter } from "../dead-letters.ts";
import type { LogRecord, PartitionPlace } from "../event-log.ts";
import { isSessionId } from "../session-ids.ts";
import { lockAssignments } from "./assignment-store.ts";
import { forgetGroup } from "./versions.ts";

/** A group that reads a partition, as it stands before the partition is filled anew. */
export interface ReadingGroup {
  group: string;
  /** The next offset that it has to apply. */
  nextOffset: number;
  /** It only delivers: it remembers nothing of what it has seen, but how far it is. */
  isSubscription: boolean;
  /** It is a version of a processor that does not answer. */
  isSilent: boolean;
}

/** Where a partition that was filled anew begins and ends, and where it ended before. */
export interface Refilled extends PartitionPlace {
  from: number;
  until: number;
  endBefore: number;
}

/** The groups that read a partition; nobody applies anything of it until the transaction ends. */
export async function lockReaders(
  tx: Queryable,
  { topic, partition }: PartitionPlace,
): Promise<ReadingGroup[]> {
  const find = () =>
    tx.query<ReadingGroup>(
      `select c.group_id as "group", c.next_offset::float8 as "nextOffset",
              c.digest is null and c.next_offset > 0 and a.emitted = 0 and not exists (
                select from atlas_log.sequences s where s.group_id = c.group_id) as "isSubscription",
              coalesce(a.shadow, false) as "isSilent"
         from atlas_log.checkpoints c join atlas_log.assignments a using (group_id, partition)
        where c.topic = $1 and c.partition = $2 order by c.group_id`,
      [topic, partition],
    );
  for (const { group } of (await find()).rows) await lockAssignments(tx, group, partition);
  return (await find()).rows;
}

/**
 * Says for all groups where rewards stand now. The rows that these marks stood for come back for the groups that had passed
 * the places before: who had applied a reward will not apply it again, and who had not, will.
 */
export async function moveRewards(
  tx: Queryable,
  { topic, partition }: PartitionPlace,
  readers: readonly ReadingGroup[],
  records: readonly LogRecord[],
): Promise<void> {
  const rewards = new Map<string, number>();
  for (const { event, offset } of records) {
    const { session_id: session, source } = event.meta;
    if (isSessionId(session) && source === rewardSourceOf(session) && !rewards.has(session))
      rewards.set(session, offset);
  }
  if (rewards.size === 0) return;
  await tx.query(
    `with moved as (
       select s.session_uuid as uuid, s.rewarded_at as was, n.at
         from unnest($1::uuid[], $2::bigint[]) as n(uuid, at) join atlas_log.session_ids s on s.session_uuid = n.uuid),
     seen as (
       insert into atlas_log.sequences (group_id, topic, partition, source, sequence)
       select r.group_id, $3, $4, 'session-rewards/' || moved.uuid, 1
         from moved, unnest($5::text[], $6::bigint[]) as r(group_id, next_offset)
        where moved.was < r.next_offset on conflict do nothing)
     update atlas_log.session_ids s set rewarded_at = moved.at from moved where s.session_uuid = moved.uuid`,
    [
      [...rewards.keys()],
      [...rewards.values()],
      topic,
      partition,
      readers.map(({ group }) => group),
      readers.map(({ nextOffset }) => nextOffset),
    ],
  );
}

/** Lets groups apply rewards of sessions anew that they have set aside where these stood before. */
export async function forgetRewards(
  tx: Queryable,
  { topic, partition }: PartitionPlace,
  setAside: readonly Pick<DeadLetter, "group" | "sessionId">[],
): Promise<void> {
  for (const { group, sessionId } of setAside)
    await tx.query(
      `delete from atlas_log.sequences
        where group_id = $1 and topic = $2 and partition = $3 and source = 'session-rewards/' || $4`,
      [group, topic, partition, sessionId],
    );
}

/**
 * Lets groups go on in a partition that was filled anew: from its beginning, where they drop what they have seen. One that only
 * delivers stays as far from the end as it was. What a silent version kept names places that are no more: it begins again.
 */
export async function restartReaders(
  tx: Queryable,
  { topic, partition, from, until, endBefore }: Refilled,
  readers: readonly ReadingGroup[],
): Promise<void> {
  for (const { group, nextOffset, isSubscription, isSilent } of readers) {
    if (isSilent && from === 0) {
      await forgetGroup(tx, group);
      continue;
    }
    const behind = Math.max(0, endBefore - nextOffset);
    const next = isSubscription ? Math.max(from, until - behind) : from;
    await tx.query(
      `update atlas_log.checkpoints set next_offset = $4, digest = null
        where group_id = $1 and topic = $2 and partition = $3`,
      [group, topic, partition, next],
    );
    // What is news to a group lies behind where it began.
    await tx.query(
      `update atlas_log.group_starts set first_offset = least(first_offset, $4)
        where group_id = $1 and topic = $2 and partition = $3`,
      [group, topic, partition, until],
    );
    // Whoever has it in memory where the group stood looks again.
    await tx.query("update atlas_log.assignments set member = null where group_id = $1 and partition = $2", [
      group,
      partition,
    ]);
  }
}

/** Makes sure that a processor goes on counting behind all that stands under its sources. */
export async function raiseEmitted(
  tx: Queryable,
  group: string,
  emitted: ReadonlyMap<string, number>,
): Promise<void> {
  if (emitted.size === 0) return;
  await tx.query(
    `update atlas_log.state s set emitted = e.emitted
       from unnest($2::text[], $3::bigint[]) as e(key, emitted)
      where s.group_id = $1 and s.key = e.key and s.emitted < e.emitted`,
    [group, [...emitted.keys()], [...emitted.values()]],
  );
}

/** No group is called so. */
const REFILLING = "refilling";

/**
 * Says that a partition is about to be filled anew. On Kafka that is not done in one transaction with what groups know of it: until
 * the transaction that says so commits, whoever comes has to do it again.
 */
export async function beginRefilling(db: Queryable, { topic, partition }: PartitionPlace): Promise<void> {
  await db.query(
    `insert into atlas_log.checkpoints (group_id, topic, partition, next_offset, digest) values ($1, $2, $3, 0, $1)
     on conflict do nothing`,
    [REFILLING, topic, partition],
  );
}

/** Says that a partition is whole again. */
export async function endRefilling(tx: Queryable, { topic, partition }: PartitionPlace): Promise<void> {
  await tx.query("delete from atlas_log.checkpoints where group_id = $1 and topic = $2 and partition = $3", [
    REFILLING,
    topic,
    partition,
  ]);
}

/** The partitions of a topic that somebody has begun to fill anew, and not ended. */
export async function beingRefilled(db: Queryable, topic: Topic): Promise<number[]> {
  const { rows } = await db.query<{ partition: number }>(
    "select partition from atlas_log.checkpoints where group_id = $1 and topic = $2",
    [REFILLING, topic],
  );
  return rows.map(({ partition }) => partition);
}

/** How far a group has come in one partition of a topic. */
export interface CheckpointOf {
  partition: number;
  nextOffset: number;
  /** Of the record before `nextOffset`. */
  digest: string | null;
}

/** How far groups have come in a topic. */
export async function checkpointsOn(tx: Queryable, topic: Topic): Promise<CheckpointOf[]> {
  const { rows } = await tx.query<CheckpointOf>(
    `select distinct partition, next_offset::float8 as "nextOffset", digest
       from atlas_log.checkpoints where topic = $1 and group_id <> $2`,
    [topic, REFILLING],
  );
  return rows;
}
