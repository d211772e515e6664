import { AtlasError } from "../../errors/atlas-error.ts";
import type { Topic } from "../../schemas/topics.ts";
import { allTopics } from "../all-topics.ts";
import type { EventLog, RawRecord } from "../event-log.ts";

/** A log that takes records as they are: no mask and no codec comes near them. */
export interface CopyTarget {
  readonly log: EventLog;
  /**
   * Puts records of one partition behind what it holds; they are durable when it resolves.
   *
   * @throws AtlasError ATLAS_COPY_REFUSED where the partition does not end before the first of them
   */
  place(records: readonly RawRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** How to copy. */
export interface CopyOptions {
  /** Called with the number of records so far, those that were there already among them. */
  onProgress?: ((records: number) => void) | undefined;
  /** Ends the copying; copying once more goes on from there. */
  signal?: AbortSignal | undefined;
}

/** What was copied. */
export interface CopySummary {
  from: { id: string; address: string };
  to: { id: string; address: string };
  /** Records that were written. */
  copied: number;
  /** Records that the target held already, and that are the same. */
  present: number;
}

interface Place {
  topic: Topic;
  partition: number;
  /** Where the target ends. */
  from: number;
  /** Where the source ended when copying began; undefined for a log that cannot be read, which says so itself. */
  until: number | undefined;
}

/** The error for a copy that is not made. */
export const refused = (message: string, where: string, hint: string): AtlasError =>
  new AtlasError("ATLAS_COPY_REFUSED", message, { where, hint });

const NEW_TARGET = "Copy into a log that does not exist yet.";

const at = ({ topic, partition }: Pick<Place, "topic" | "partition">): string => `${topic}[${partition}]`;

async function* recordsOf(
  log: EventLog,
  { topic, partition }: Place,
  untilOffset: number,
): AsyncGenerator<RawRecord> {
  for await (const batch of log.readRaw([topic], { partition, fromOffset: 0, untilOffset })) yield* batch;
}

const isSame = (one: RawRecord, other: RawRecord): boolean =>
  one.offset === other.offset &&
  one.key === other.key &&
  one.fingerprint === other.fingerprint &&
  one.body.equals(other.body);

const somethingElse = (place: Place, { offset }: RawRecord): AtlasError =>
  refused("the target holds something else than the log", `${at(place)}@${offset}`, NEW_TARGET);

/** Refuses a partition that holds anything but the beginning of the one that is copied. */
async function refuseOther(
  source: EventLog,
  target: EventLog,
  place: Place,
  seen: () => void,
): Promise<void> {
  const end = place.until ?? 0;
  if (place.from > end) {
    const message = `the target has ${place.from} records, and the log only ${end}`;
    throw refused(message, at(place), NEW_TARGET);
  }
  const theirs = recordsOf(target, place, place.from);
  try {
    for await (const record of recordsOf(source, place, place.from)) {
      const { value: other } = await theirs.next();
      if (other === undefined || !isSame(record, other)) throw somethingElse(place, record);
      seen();
    }
    const { value: more } = await theirs.next();
    if (more !== undefined) throw somethingElse(place, more);
  } finally {
    await theirs.return(undefined);
  }
}

/** Refuses records that a copy could not put at the same offsets. */
function refuseGap(offset: number, next: number, place: Place): void {
  if (offset === next) return;
  const message = `the log lacks offsets ${next} to ${offset - 1}, so a copy would number its records otherwise`;
  throw refused(message, at(place), "Copy the log from where it is whole.");
}

async function copyPlace(
  source: EventLog,
  target: CopyTarget,
  place: Place,
  { signal, copied }: { signal: AbortSignal | undefined; copied: (records: number) => void },
): Promise<void> {
  const { topic, partition, from, until } = place;
  if (until !== undefined && until <= from) return;
  const range = { partition, fromOffset: from, ...(until !== undefined && { untilOffset: until }) };
  let next = from;
  for await (const batch of source.readRaw([topic], range)) {
    signal?.throwIfAborted();
    for (const [index, { offset }] of batch.entries()) refuseGap(offset, next + index, place);
    await target.place(batch);
    next += batch.length;
    copied(batch.length);
  }
  // What a transaction of another writer leaves at the end of a partition on Kafka takes an offset, too.
  if (until !== undefined) refuseGap(until, next, place);
}

/** A send whose answer was lost may stand twice in a log on Kafka, and others may append to the target. */
async function refuseMore(target: EventLog, places: readonly Place[]): Promise<void> {
  const ends = await target.ends([...new Set(places.map(({ topic }) => topic))]);
  for (const place of places) {
    const end = ends.get(place.topic)?.[place.partition];
    if (end === place.until) continue;
    const message = `the target ends at ${end}, and the log at ${place.until}: somebody else appends to it, or a record was sent twice`;
    throw refused(message, at(place), NEW_TARGET);
  }
}

/**
 * Copies a log as it is now: every record at the same offset, with the same key, schema fingerprint and body. A copy
 * that was interrupted goes on where it stopped; one that is complete gets what the log has got since.
 *
 * @throws AtlasError ATLAS_COPY_REFUSED when the target holds anything else, has another number of partitions, or is
 *   the log itself, and when the log lacks records; ATLAS_LOG_REPLACED, ATLAS_LOG_UNREACHABLE
 */
export async function copyRecords(
  source: EventLog,
  target: CopyTarget,
  { onProgress, signal }: CopyOptions = {},
): Promise<CopySummary> {
  const { log } = target;
  if (source.id === log.id) throw refused("this is the log itself", log.address, "Name another target.");
  if (source.partitions !== log.partitions) {
    const message = `the target has ${log.partitions} partitions, and the log ${source.partitions}`;
    throw refused(message, log.address, NEW_TARGET);
  }
  await log.define(await source.definitions());
  const topics = await allTopics(source);
  const [held, ends] = [await log.ends(topics), await source.ends(topics)];
  const places = topics.flatMap((topic) =>
    Array.from({ length: source.partitions }, (_, partition) => ({
      topic,
      partition,
      from: held.get(topic)?.[partition] ?? 0,
      until: ends.get(topic)?.[partition],
    })),
  );
  let copied = 0;
  let present = 0;
  for (const place of places) {
    if (place.from === 0) continue;
    await refuseOther(source, log, place, () => {
      signal?.throwIfAborted();
      present += 1;
      if (present % 1000 === 0) onProgress?.(present);
    });
  }
  for (const place of places) {
    await copyPlace(source, target, place, {
      signal,
      copied: (records) => {
        copied += records;
        onProgress?.(present + copied);
      },
    });
  }
  await refuseMore(log, places);
  return {
    from: { id: source.id, address: source.address },
    to: { id: log.id, address: log.address },
    copied,
    present,
  };
}
