import type { Queryable } from "../database/database.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import type { Apply, EventLog, LogRecord, Position, RawRecord } from "../log/event-log.ts";
import { loadSequences, saveSequences } from "../log/runner/assignment-store.ts";
import { decodeEvent } from "../schemas/codec.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
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

type RecordName = `${Place}@${number}`;

const nameOf = ({ topic, partition, offset }: Position): RecordName =>
  `${placeOf(topic, partition)}@${offset}`;

/** The records that a group could not apply, nor when they were retried: its read models are without them, and so is a rebuild. */
export async function recordsSetAside(log: EventLog, group: string): Promise<Set<RecordName>> {
  const aside = new Set<RecordName>();
  for await (const batch of log.readRaw(["atlas.dead-letters"])) {
    for (const raw of batch) {
      const event = readable(raw);
      if (event?.type !== "DeadLettered" && event?.type !== "DeadLetterRetried") continue;
      if (event.group !== group) continue;
      const { topic, partition, offset } = event;
      const name = nameOf({ topic: topic as Topic, partition, offset });
      if (event.type === "DeadLettered") aside.add(name);
      else aside.delete(name);
    }
  }
  return aside;
}

function readable({ fingerprint, body }: RawRecord): AtlasEvent | undefined {
  try {
    return fingerprint === undefined ? undefined : decodeEvent(fingerprint, body);
  } catch {
    return undefined;
  }
}

/** @throws AtlasError ATLAS_EVENT_UNREADABLE, ATLAS_SCHEMA_NEWER */
function decoded(raw: RawRecord): LogRecord {
  const { topic, partition, offset, key, appendedAt, fingerprint, body } = raw;
  if (fingerprint === undefined) {
    throw new AtlasError("ATLAS_EVENT_UNREADABLE", "the record was not written by this package", {
      where: nameOf(raw),
    });
  }
  return { topic, partition, offset, key, appendedAt, event: decodeEvent(fingerprint, body) };
}

/** Applies records as a consumer would, without being one. */
export class Replay {
  /** Up to where records were applied. */
  readonly done: Positions = new Map();
  /** Events applied so far. */
  events = 0;
  private readonly apply: Apply;
  private readonly group: string;
  private readonly aside: ReadonlySet<RecordName>;

  /**
   * @param group the name under which sequences are remembered meanwhile
   * @param aside records to leave out
   */
  constructor(apply: Apply, group: string, aside: ReadonlySet<RecordName>) {
    this.apply = apply;
    this.group = group;
    this.aside = aside;
  }

  doneAt(topic: Topic, partition: number): number {
    return this.done.get(placeOf(topic, partition)) ?? 0;
  }

  /** Applies records of one partition of one topic, in order, in the caller's transaction. */
  async unit(tx: Queryable, topic: Topic, partition: number, raw: readonly RawRecord[]): Promise<void> {
    const records = raw.filter((record) => !this.aside.has(nameOf(record))).map(decoded);
    const key = { group: this.group, partition };
    const sources = [...new Set(records.map(({ event }) => event.meta.source))];
    const seen = await loadSequences(tx, key, topic, sources);
    const advanced = new Map<string, number>();
    const fresh = records.filter(({ event }) => {
      const { source, sequence } = event.meta;
      if (sequence <= (advanced.get(source) ?? seen.get(source) ?? -1)) return false;
      advanced.set(source, sequence);
      return true;
    });
    if (fresh.length > 0) await this.apply(fresh, { tx, partition, emit: () => undefined });
    await saveSequences(tx, key, topic, advanced);
  }

  /** Notes that records were applied and committed. */
  advance(topic: Topic, partition: number, records: readonly Position[]): void {
    const last = records.at(-1);
    if (last === undefined) return;
    this.done.set(placeOf(topic, partition), last.offset + 1);
    this.events += records.length;
  }
}

/** One partition of one topic after the other, as an assignment's inputs. */
export const inputsOf = (partitions: number): { topic: Topic; partition: number }[] =>
  Array.from({ length: partitions }, (_, partition) => TOPICS.map((topic) => ({ topic, partition }))).flat();
