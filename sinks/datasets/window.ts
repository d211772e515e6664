import { createHash } from "node:crypto";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { EventLog, RawRecord } from "../../log/event-log.ts";
import { TOPICS, type Topic } from "../../schemas/topics.ts";

/** What a dataset needs of a log. */
export type ReadableLog = Pick<EventLog, "id" | "kind" | "partitions" | "ends" | "readRaw">;

/** The offsets of a partition that were read, and what stood there. */
export interface ReadStretch {
  from: number;
  /** The offset after the last one. */
  until: number;
  records: number;
  /** SHA-256 over keys, schema fingerprints and bodies, by which a copy is known from another log. */
  sha256: string;
}

/** What was read, by topic and partition. */
export type Positions = Record<string, ReadStretch[]>;

/** A stretch that is to be read. */
export interface Stretch {
  topic: Topic;
  partition: number;
  from: number;
  until: number;
}

/** Which part of the log to read. */
export interface Window {
  /**
   * Only sessions that began at this place of `atlas.sessions` or after it: a time of appending, or an offset in each
   * of its partitions.
   */
  from?: Date | number | undefined;
  /**
   * Nothing after it is known: a time of appending, of every topic; or an offset in each partition of
   * `atlas.sessions`, with all that other topics say of what stands before it.
   */
  until?: Date | number | undefined;
}

const invalid = (option: string, value: unknown): AtlasError =>
  new AtlasError("ATLAS_FILTER_INVALID", `${option} is ${String(value)}, neither a time nor an offset`, {
    where: option,
  });

/**
 * Refuses bounds that mean nothing.
 *
 * @throws AtlasError ATLAS_FILTER_INVALID
 */
export function refuseBounds(window: Window): void {
  for (const option of ["from", "until"] as const) {
    const value: unknown = window[option];
    if (value === undefined) continue;
    const fits =
      value instanceof Date
        ? !Number.isNaN(value.getTime())
        : Number.isSafeInteger(value) && (value as number) >= 0;
    if (!fits) throw invalid(option, value);
  }
}

/** The first offset that was appended at a time or later; the end where nothing was. */
async function offsetAt(
  log: ReadableLog,
  topic: Topic,
  partition: number,
  time: Date,
  end: number,
): Promise<number> {
  for await (const [first] of log.readRaw([topic], { partition, from: time }))
    if (first !== undefined) return Math.min(first.offset, end);
  return end;
}

/** The offsets that a window comes to, in the log as it is now. */
export async function stretchesOf(log: ReadableLog, { from, until }: Window): Promise<Stretch[]> {
  const ends = await log.ends(TOPICS);
  const stretches: Stretch[] = [];
  for (const topic of TOPICS) {
    const own = topic === "atlas.sessions";
    for (const [partition, end] of ends.get(topic)!.entries()) {
      const at = async (bound: Date | number): Promise<number> =>
        bound instanceof Date ? offsetAt(log, topic, partition, bound, end) : Math.min(bound, end);
      const first = from === undefined || !own ? 0 : await at(from);
      const limited = until !== undefined && (own || until instanceof Date);
      const last = limited ? await at(until) : end;
      stretches.push({ topic, partition, from: Math.min(first, last), until: last });
    }
  }
  return stretches;
}

/**
 * The offsets that a manifest names, if this log has as many.
 *
 * @throws AtlasError ATLAS_LOG_REPLACED for the log of the manifest, ATLAS_DATASET_LOG_CHANGED for another one
 */
export async function stretchesAgain(
  log: ReadableLog,
  positions: Positions,
  logId: string,
): Promise<Stretch[]> {
  const ends = await log.ends(TOPICS);
  const stretches: Stretch[] = [];
  for (const topic of TOPICS) {
    const read = positions[topic] ?? [];
    if (read.length > log.partitions) throw otherLog(log, logId, `it has ${log.partitions} partitions`);
    for (const [partition, { from, until }] of read.entries()) {
      const end = ends.get(topic)?.[partition] ?? 0;
      if (end < until) {
        const missing = `${topic}[${partition}] ends at ${end}, and the dataset was read up to ${until}`;
        throw log.id === logId ? replaced(missing) : otherLog(log, logId, missing);
      }
      stretches.push({ topic, partition, from, until });
    }
  }
  return stretches;
}

const replaced = (message: string): AtlasError =>
  new AtlasError("ATLAS_LOG_REPLACED", message, {
    hint: "Restore the log, or reproduce the dataset from a copy that still has these records.",
  });

/** The error for a log that is not the manifest's, and no copy of it. */
export const otherLog = (log: ReadableLog, logId: string, why: string): AtlasError =>
  new AtlasError("ATLAS_DATASET_LOG_CHANGED", `this is log ${log.id}, and no copy of log ${logId}: ${why}`, {
    hint: "Open the log that the dataset was built from, or a copy that `atlas log copy` made of it.",
  });

/**
 * Reads stretches one after the other, and notes what stood there.
 *
 * @throws AtlasError ATLAS_LOG_REPLACED where records are gone, and what reading throws
 */
export async function readStretches(
  log: ReadableLog,
  stretches: readonly Stretch[],
  take: (record: RawRecord) => Promise<void>,
): Promise<Positions> {
  const positions: Positions = {};
  for (const { topic, partition, from, until } of stretches) {
    const hash = createHash("sha256");
    let records = 0;
    if (from < until) {
      for await (const batch of log.readRaw([topic], { partition, fromOffset: from, untilOffset: until })) {
        for (const record of batch) {
          const { key, fingerprint = "", body } = record;
          hash.update(`${JSON.stringify([key, fingerprint, body.length])}\n`).update(body);
          records += 1;
          await take(record);
        }
      }
      if (records === 0)
        throw replaced(`${topic}[${partition}] has none of its records ${from} to ${until - 1}`);
    }
    positions[topic] ??= [];
    positions[topic][partition] = { from, until, records, sha256: hash.digest("hex") };
  }
  return positions;
}
