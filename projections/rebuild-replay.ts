import type { Apply, EventLog, LogRecord } from "../log/event-log.ts";
import type { Queryable } from "../log/postgres/database.ts";
import { loadSequences, saveSequences } from "../log/runner/assignment-store.ts";
import { TOPICS, type Topic } from "../schemas/topics.ts";

/** Names one partition of one topic. */
export type Place = `${Topic}[${number}]`;

/** The next offset of each partition of each topic; absent for 0. */
export type Positions = Map<Place, number>;

export const placeOf = (topic: Topic, partition: number): Place => `${topic}[${partition}]`;

/** How far a group has read the log. */
export async function checkpointsOf(db: Queryable, group: string): Promise<Positions> {
  const { rows } = await db.query<{ topic: Topic; partition: number; next: number }>(
    "select topic, partition, next_offset::float8 as next from atlas_log.checkpoints where group_id = $1",
    [group],
  );
  return new Map(rows.map(({ topic, partition, next }) => [placeOf(topic, partition), next]));
}

/** The records that a group could not apply: its read models are without them, and so is a rebuild. */
export async function recordsSetAside(log: EventLog, group: string): Promise<Set<string>> {
  const aside = new Set<string>();
  for await (const batch of log.read(["atlas.dead-letters"])) {
    for (const { event } of batch) {
      if (event.type === "DeadLettered" && event.group === group) {
        aside.add(`${event.topic}[${event.partition}]@${event.offset}`);
      }
    }
  }
  return aside;
}

/** Applies records as a consumer would, without being one. */
export class Replay {
  /** Up to where records were applied. */
  readonly done: Positions = new Map();
  /** Events applied so far. */
  events = 0;
  private readonly apply: Apply;
  private readonly group: string;
  private readonly aside: ReadonlySet<string>;

  /**
   * @param group the name under which sequences are remembered meanwhile
   * @param aside records to leave out
   */
  constructor(apply: Apply, group: string, aside: ReadonlySet<string>) {
    this.apply = apply;
    this.group = group;
    this.aside = aside;
  }

  doneAt(topic: Topic, partition: number): number {
    return this.done.get(placeOf(topic, partition)) ?? 0;
  }

  /** Applies records of one partition of one topic, in order, in the caller's transaction. */
  async unit(tx: Queryable, topic: Topic, partition: number, records: readonly LogRecord[]): Promise<void> {
    const key = { group: this.group, partition };
    const sources = [...new Set(records.map(({ event }) => event.meta.source))];
    const seen = await loadSequences(tx, key, topic, sources);
    const advanced = new Map<string, number>();
    const fresh = records.filter(({ event, offset }) => {
      const { source, sequence } = event.meta;
      if (this.aside.has(`${topic}[${partition}]@${offset}`)) return false;
      if (sequence <= (advanced.get(source) ?? seen.get(source) ?? -1)) return false;
      advanced.set(source, sequence);
      return true;
    });
    if (fresh.length > 0) await this.apply(fresh, { tx, partition, emit: () => undefined });
    await saveSequences(tx, key, topic, advanced);
  }

  /** Notes that records were applied and committed. */
  advance(topic: Topic, partition: number, records: readonly LogRecord[]): void {
    const last = records.at(-1);
    if (last === undefined) return;
    this.done.set(placeOf(topic, partition), last.offset + 1);
    this.events += records.length;
  }
}

/** One partition of one topic after the other, as an assignment's inputs. */
export const inputsOf = (partitions: number): { topic: Topic; partition: number }[] =>
  Array.from({ length: partitions }, (_, partition) => TOPICS.map((topic) => ({ topic, partition }))).flat();
