import type { Queryable } from "../database/database.ts";
import type { Apply, EventLog, Position, RawRecord } from "../log/event-log.ts";
import { decodeRecord } from "../log/records.ts";
import { type Place, type Positions, placeOf } from "../log/runner/positions.ts";
import { applyOnce } from "../log/runner/unit-of-work.ts";
import { decodeEvent } from "../schemas/codec.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import { TOPICS, type Topic } from "../schemas/topics.ts";

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
    const batch = raw.filter((record) => !this.aside.has(nameOf(record))).map(decodeRecord);
    await applyOnce(tx, { key: { group: this.group, partition }, topic, batch, apply: this.apply });
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
