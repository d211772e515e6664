import type { Database } from "../../database/database.ts";
import { isGone } from "../runner/member.ts";
import type { Seen, SeenRow, Watch } from "./watch.ts";

/** How long things take, in milliseconds. */
export interface LeaseTimes {
  /** A member that was not heard of for this long has lost its assignments. */
  leaseMs: number;
  /** How often a member says that it is alive and looks for what is free. */
  renewMs: number;
}

/** Of one host nobody has to wait for the lease of a dead process, and idle ones should cost nothing. */
export const leaseTimes = (sameHost: boolean): LeaseTimes =>
  sameHost ? { leaseMs: 15_000, renewMs: 3000 } : { leaseMs: 5000, renewMs: 1000 };

/** One member of a group. */
export interface LeaseOptions {
  db: Database;
  group: string;
  member: string;
  partitions: number;
  logId: string;
  /** All members share this host and its process ids, so that what dead processes own is free at once. */
  sameHost: boolean;
  /** Where the member has joined. */
  watch: Watch;
}

/** The leases of one group, as one member sees them. */
export interface Leases {
  /** Says that this member is alive. Waits for nobody's unit of work. */
  beat(): Promise<void>;
  /**
   * Says that this member is alive, and takes what is free up to its fair share.
   *
   * @param since how old what it goes by may be, by this process's own clock; what it did itself is never younger
   * @returns all it holds now, and what it went by
   */
  renew(since: number): Promise<{ held: number[]; seen: Seen }>;
  /** Gives up one partition, or all of them and the membership. */
  release(partition?: number): Promise<void>;
}

interface Heard {
  beat: string;
  /** By this process's own clock, which nobody sets. */
  at: number;
}

const BEAT = `insert into atlas_log.members values ($1, $2, clock_timestamp())
              on conflict (group_id, member) do update set seen_at = excluded.seen_at`;

/**
 * Leases for one member of a group. A member owns its assignments for as long as it is heard of: a lease is never on the
 * row that a unit of work locks, so that a long unit takes it from nobody.
 */
export function openLeases(options: LeaseOptions): Leases {
  const { db, group, member, partitions, logId, sameHost, watch } = options;
  const all = Array.from({ length: partitions }, (_, index) => index);
  const heard = new Map<string, Heard>();
  const { leaseMs } = leaseTimes(sameHost);
  let changedAt = performance.now();

  const beat = async (): Promise<void> => {
    await db.query(BEAT, [group, member]);
  };

  /** Whether a member is heard of: by its beats, once there were two of them. */
  const isAlive = (row: SeenRow, now: number): boolean => {
    const before = heard.get(row.member);
    const news = before === undefined ? row.recent : before.beat !== row.beat;
    const at = news ? now : (before?.at ?? Number.NEGATIVE_INFINITY);
    heard.set(row.member, { beat: row.beat, at });
    return row.member === member || (now - at < leaseMs && !(sameHost && isGone(row.member)));
  };

  /** Who else is alive, and who owns what. */
  const divide = async ({ at, groups }: Seen) => {
    const rows = groups.get(group) ?? [];
    const owners = new Map<number, string | null>();
    const living = new Set([member]);
    const dead: string[] = [];
    for (const row of rows) {
      if (row.partition !== null) owners.set(row.partition, row.member);
      else if (isAlive(row, at)) living.add(row.member);
      else dead.push(row.member);
    }
    if (dead.length > 0) {
      await db.query("delete from atlas_log.members where group_id = $1 and member = any($2)", [group, dead]);
      for (const each of dead) heard.delete(each);
    }
    return { living, owners };
  };

  /** Takes what is free. What a unit of work has locked is left for another time. */
  const take = async (wanted: readonly number[], owners: ReadonlyMap<number, string | null>) => {
    const { rows } = await db.query<{ partition: number }>(
      `with free as (
         select a.partition from atlas_log.assignments a
           join unnest($3::int[], $4::text[]) as w (partition, owner) on w.partition = a.partition
          where a.group_id = $1 and a.member is not distinct from w.owner
            for update of a skip locked),
       taken as (
         update atlas_log.assignments a set member = $2 from free
          where a.group_id = $1 and a.partition = free.partition returning a.partition),
       made as (
         insert into atlas_log.assignments (group_id, partition, log_id, member)
         select $1, p, $6, $2 from unnest($5::int[]) as p on conflict do nothing returning partition)
       select partition from taken union all select partition from made`,
      [
        group,
        member,
        wanted.filter((partition) => owners.has(partition)),
        wanted.flatMap((partition) => (owners.has(partition) ? [owners.get(partition)] : [])),
        wanted.filter((partition) => !owners.has(partition)),
        logId,
      ],
    );
    return rows.map(({ partition }) => partition);
  };

  const giveUp = async (given: readonly number[]): Promise<void> => {
    await db.query(
      "update atlas_log.assignments set member = null where group_id = $1 and member = $2 and partition = any($3)",
      [group, member, given],
    );
  };

  return {
    beat,
    renew: async (since) => {
      const seen = await watch.look(Math.max(since, changedAt));
      const { living, owners } = await divide(seen);
      const fair = Math.ceil(partitions / living.size);
      const mine = all.filter((partition) => owners.get(partition) === member);
      const free = all.filter((partition) => {
        const owner = owners.get(partition) ?? null;
        return owner === null || !living.has(owner);
      });
      if (mine.length > fair) await giveUp(mine.slice(fair));
      const held = mine.slice(0, fair);
      const wanted = free.slice(0, fair - held.length);
      const taken = wanted.length > 0 ? await take(wanted, owners) : [];
      changedAt = performance.now();
      return { held: [...held, ...taken].sort((a, b) => a - b), seen };
    },
    release: async (partition) => {
      if (partition === undefined) await watch.leave(member);
      await giveUp(partition === undefined ? all : [partition]);
      if (partition === undefined)
        await db.query("delete from atlas_log.members where group_id = $1 and member = $2", [group, member]);
    },
  };
}
