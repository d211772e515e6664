import type { Database } from "../../database/database.ts";
import { isGone } from "../runner/member.ts";

/** A member that was not heard of for this long has lost its assignments. */
export const LEASE_MS = 5000;
/** How often a member renews its leases and looks for free ones. */
export const RENEW_MS = 1000;

interface Held {
  partition: number;
  member: string | null;
  expired: boolean;
}

/** The leases of one group, as one member sees them. */
export interface Leases {
  /** Renews what this member holds, takes what is free up to its fair share, and returns all it holds now. */
  renew(): Promise<number[]>;
  /** Gives up one partition, or all of them and the membership. */
  release(partition?: number): Promise<void>;
}

const INTERVAL = `interval '${LEASE_MS} milliseconds'`;
/** A time beyond this was written before the database's clock was set back. */
const IMPOSSIBLE = "clock_timestamp() + interval '1 minute'";

/**
 * Leases for one member of a group.
 *
 * @param sameHost all members share this host and its process ids, so that those of dead processes are free at once
 */
export function openLeases(
  db: Database,
  group: string,
  member: string,
  partitions: number,
  logId: string,
  sameHost: boolean,
): Leases {
  const all = Array.from({ length: partitions }, (_, index) => index);

  return {
    renew: () =>
      db.transaction(async (tx) => {
        await tx.query(
          `insert into atlas_log.members values ($1, $2, now())
           on conflict (group_id, member) do update set seen_at = now()`,
          [group, member],
        );
        const members = await tx.query<{ member: string }>(
          `select member from atlas_log.members where group_id = $1 and seen_at > now() - ${INTERVAL}
             and seen_at < ${IMPOSSIBLE}`,
          [group],
        );
        const alive = members.rows.filter((row) => !(sameHost && isGone(row.member))).length;
        const fair = Math.ceil(partitions / Math.max(1, alive));
        const { rows } = await tx.query<Held>(
          `select partition, member, coalesce(lease_until < now() or lease_until > ${IMPOSSIBLE}, true) as expired
             from atlas_log.assignments where group_id = $1 order by partition for update`,
          [group],
        );
        const known = new Map(rows.map((row) => [row.partition, row]));
        const mine = rows.filter((row) => row.member === member).map((row) => row.partition);
        const keep = mine.slice(0, fair);
        const free = all.filter((partition) => isFree(known.get(partition), member, sameHost));
        const take = free.slice(0, Math.max(0, fair - keep.length));
        const surplus = mine.slice(fair);
        if (surplus.length > 0) {
          await tx.query(
            "update atlas_log.assignments set member = null, lease_until = null where group_id = $1 and partition = any($2)",
            [group, surplus],
          );
        }
        const held = [...keep, ...take];
        if (held.length > 0) {
          await tx.query(
            `insert into atlas_log.assignments (group_id, partition, log_id, member, lease_until)
             select $1, p, $4, $2, now() + ${INTERVAL} from unnest($3::int[]) as p
             on conflict (group_id, partition) do update set member = excluded.member, lease_until = excluded.lease_until`,
            [group, member, held, logId],
          );
        }
        return held.sort((a, b) => a - b);
      }),
    release: async (partition) => {
      await db.query(
        `update atlas_log.assignments set member = null, lease_until = null
          where group_id = $1 and member = $2 and ($3::int is null or partition = $3)`,
        [group, member, partition ?? null],
      );
      if (partition === undefined) {
        await db.query("delete from atlas_log.members where group_id = $1 and member = $2", [group, member]);
      }
    },
  };
}

function isFree(held: Held | undefined, member: string, sameHost: boolean): boolean {
  if (held === undefined || held.member === null) return true;
  if (held.member === member) return false;
  return held.expired || (sameHost && isGone(held.member));
}
