import type { Database } from "../../database/database.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { Ends } from "../event-log.ts";

/** A member of a group in this process. */
export interface Watcher {
  group: string;
  member: string;
  /** Whether its loop gets on: of others no sign of life is given. */
  alive(): boolean;
}

/** A member of a group with its last sign of life, or a partition with its owner. */
export interface SeenRow {
  /** Null in the row of a member. */
  partition: number | null;
  member: string;
  beat: string;
  /** Whether the database's clock takes the sign of life for a recent one. */
  recent: boolean;
}

/** What one look saw, all at one moment. */
export interface Seen {
  /** When the look began, and when it was answered, by this process's own clock. */
  began: number;
  at: number;
  /** Members and assignments, by group. */
  groups: ReadonlyMap<string, readonly SeenRow[]>;
  /** The next offsets of all topics. */
  ends: Ends;
}

interface Row extends Omit<SeenRow, "partition"> {
  kind: "member" | "assignment" | "end";
  name: string;
  partition: number;
  next: number;
}

/** The database's clock is asked once, of a member that was never heard of before. It may have been set meanwhile. */
const LOOK = `with beat as (
  insert into atlas_log.members select w.group_id, w.member, clock_timestamp()
    from unnest($1::text[], $2::text[]) as w(group_id, member)
  on conflict (group_id, member) do update set seen_at = excluded.seen_at)
select 'member' as kind, group_id as name, 0 as partition, member, seen_at::text as beat,
       seen_at > clock_timestamp() - $4::int * interval '1 millisecond'
       and seen_at < clock_timestamp() + interval '1 minute' as recent, 0::float8 as next
  from atlas_log.members where group_id = any($3)
 union all
select 'assignment', group_id, partition, member, '', false, 0 from atlas_log.assignments where group_id = any($3)
 union all
select 'end', topic, partition, null, '', false, next_offset::float8 from atlas_log.partitions`;

/**
 * What the members of one process ask their log again and again, in one statement for all of them: it says that they are alive,
 * and finds who else is, who owns what, and where the log ends.
 */
export class Watch {
  private readonly db: Database;
  private readonly leaseMs: number;
  private readonly watchers = new Map<string, Watcher>();
  private latest: { began: number; seen: Promise<Seen> } | undefined;
  private asking: Promise<unknown> = Promise.resolve();

  /** @param leaseMs how old a sign of life may be of a member that was never heard of before */
  constructor(db: Database, leaseMs: number) {
    this.db = db;
    this.leaseMs = leaseMs;
  }

  /** From now on each look says that this member is alive. */
  join(watcher: Watcher): void {
    this.watchers.set(watcher.member, watcher);
  }

  /** Resolves when no look says any more that this member is alive. */
  async leave(member: string): Promise<void> {
    this.watchers.delete(member);
    await this.asking;
  }

  /** What was seen by a look that began at a time, by this process's own clock, or later: one of somebody else, or a new one. */
  look(since: number): Promise<Seen> {
    const { latest } = this;
    if (latest !== undefined && latest.began >= since) return latest.seen;
    const began = performance.now();
    const seen = this.ask(began);
    const mine = { began, seen };
    this.latest = mine;
    const failed = (): void => {
      if (this.latest === mine) this.latest = undefined;
    };
    this.asking = Promise.all([this.asking, seen.then(() => undefined, failed)]);
    return seen;
  }

  private async ask(began: number): Promise<Seen> {
    const all = [...this.watchers.values()];
    const living = all.filter((watcher) => watcher.alive());
    const { rows } = await this.db.query<Row>(LOOK, [
      living.map(({ group }) => group),
      living.map(({ member }) => member),
      [...new Set(all.map(({ group }) => group))],
      this.leaseMs,
    ]);
    const groups = new Map<string, SeenRow[]>(all.map(({ group }) => [group, []]));
    const ends = new Map<Topic, number[]>();
    for (const { kind, name, partition, member, beat, recent, next } of rows) {
      if (kind !== "end") {
        groups.get(name)!.push({ partition: kind === "member" ? null : partition, member, beat, recent });
        continue;
      }
      const offsets = ends.get(name as Topic) ?? [];
      offsets[partition] = next;
      ends.set(name as Topic, offsets);
    }
    return { began, at: performance.now(), groups, ends };
  }
}
