import type { EventLog, LogRecord } from "../../log/event-log.ts";
import { announceRebuild, forgetRebuild, rebuildingGroup, touchRebuild } from "../../log/runner/rebuilds.ts";
import { applyOnce } from "../../log/runner/unit-of-work.ts";
import { groupOfVersion } from "../../log/runner/versions.ts";
import type { Processor } from "../../processors/processor.ts";
import type { Masked } from "../../schemas/masked.ts";
import type { Topic } from "../../schemas/topics.ts";
import { processorConsumer } from "../processor-consumer.ts";
import type { RulesStore } from "../rules.ts";
import { setAsideBy } from "../set-aside.ts";
import { inTime } from "./in-time.ts";

/** What to compute, and from what. */
export interface ComputeOptions {
  processor: Processor;
  /** Next offsets up to which the log counts, by topic. */
  until: ReadonlyMap<Topic, readonly number[]>;
  /** What a batch is taken for, before it is applied. */
  change?: ((batch: readonly LogRecord[]) => Promise<readonly LogRecord[]>) | undefined;
  /** Which records are no part of it; those that the processor's consumers have set aside unless told. */
  isSetAside?: ((record: LogRecord) => boolean) | undefined;
  /** Called with the number of events that were read since the last time. */
  onRead?: ((events: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** How many partitions are worked on at a time. */
const LANES = 4;

/** Does something with every partition, some at a time. */
export async function overPartitions(
  partitions: number,
  work: (partition: number) => Promise<void>,
): Promise<void> {
  const left = Array.from({ length: partitions }, (_, partition) => partition);
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: Math.min(LANES, partitions) }, lane));
}

/** How often it says that it is still at it. */
const TOUCH_MS = 30_000;

/**
 * Computes all that a processor says of what the log holds, as its consumers do, beside them and without a word to anybody: what it
 * remembers lies in the database, so that memory does not grow with the log.
 *
 * @param log with a database
 * @param take is given what came of a batch
 */
export async function computeAgain(
  log: EventLog,
  rules: RulesStore,
  options: ComputeOptions,
  take: (events: readonly Masked[]) => Promise<void>,
): Promise<void> {
  const { processor, until, change, onRead, signal } = options;
  const db = log.db!;
  const id = await announceRebuild(db);
  const group = rebuildingGroup(id);
  let touchedAt = performance.now();
  const isSetAside = options.isSetAside ?? (await setAsideBy(log, groupOfVersion(processor)));
  let taking: Promise<void> = Promise.resolve();
  const apply = processorConsumer(processor, rules.lookup, group);
  try {
    await overPartitions(log.partitions, async (partition) => {
      const ends = new Map(processor.inputs.map((topic) => [topic, until.get(topic)?.[partition] ?? 0]));
      for await (const { topic, batch } of inTime(log, partition, ends)) {
        signal?.throwIfAborted();
        await rules.load(batch);
        const left = batch.filter((record) => !isSetAside(record));
        const taken = change === undefined ? left : await change(left);
        const unit = { key: { group, partition }, topic, batch: taken, apply };
        const emitted = await db.transaction((tx) => applyOnce(tx, unit));
        onRead?.(batch.length);
        if (performance.now() - touchedAt > TOUCH_MS) {
          touchedAt = performance.now();
          await touchRebuild(db, id);
        }
        if (emitted.length === 0) continue;
        // One at a time, in whichever partition they are.
        taking = taking.then(() => take(emitted.map(({ event }) => event)));
        await taking;
      }
    });
  } finally {
    // One that was killed is cleared up behind by the next rebuild of the read models.
    await db.transaction((tx) => forgetRebuild(tx, id)).catch(() => undefined);
  }
}
