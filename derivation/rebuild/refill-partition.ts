import { reviewer } from "../../configs/reviewer.ts";
import type { Queryable } from "../../database/database.ts";
import type { DeadLetter } from "../../log/dead-letters.ts";
import type { EventLog, LogRecord, PartitionPlace, RawRecord } from "../../log/event-log.ts";
import { toOutgoing } from "../../log/outgoing.ts";
import { publishInUnit } from "../../log/runner/assignment-store.ts";
import {
  endRefilling,
  forgetRewards,
  lockReaders,
  moveRewards,
  raiseEmitted,
  restartReaders,
} from "../../log/runner/refilled.ts";
import { retriedFact } from "../../log/runner/retried-fact.ts";
import { groupOfVersion } from "../../log/runner/versions.ts";
import type { Processor } from "../../processors/processor.ts";
import { contentOf, eventOf, type Missing } from "./refill-content.ts";

/** What to fill anew, and with what. */
export interface RefillOptions {
  place: PartitionPlace;
  missing: Missing;
  /** Records of it that groups have set aside: they are put back, too, and given to these groups anew. */
  letters: readonly DeadLetter[];
  /** Who emits to it: their assignments are locked, and all that they said is in the log. */
  writers: readonly Processor[];
}

/**
 * Fills one partition of a derived topic anew, in the caller's transaction, and lets everybody who reads it go on: groups, the
 * marks of where rewards stand, and the counts of those who write it.
 */
export async function refillPartition(
  tx: Queryable,
  log: EventLog,
  { place, missing, letters, writers }: RefillOptions,
): Promise<void> {
  const refilling = log.refilling!;
  const { topic } = place;
  const readers = await lockReaders(tx, place);
  const content = await contentOf(place, log.partitions, refilling.left(tx, place), missing);
  const refilled = await refilling.refill(tx, place, content);
  for await (const batch of refilling.left(tx, place)) {
    const records = batch.flatMap((raw) => recordOf(raw) ?? []);
    if (topic === "atlas.rewards") await moveRewards(tx, place, readers, records);
    else
      for (const writer of writers) await raiseEmitted(tx, groupOfVersion(writer), saidBy(writer, records));
  }
  if (topic === "atlas.rewards") await forgetRewards(tx, place, letters);
  const facts = letters.map((letter) => log.mask(retriedFact(letter, reviewer())));
  const [writer] = writers;
  if (facts.length > 0 && writer !== undefined) {
    const key = { group: groupOfVersion(writer), partition: place.partition };
    await publishInUnit(tx, log, key, toOutgoing(facts, log.partitions));
  }
  await restartReaders(tx, { ...place, ...refilled }, readers);
  await endRefilling(tx, place);
}

function recordOf(raw: RawRecord): LogRecord | undefined {
  const event = eventOf(raw);
  return event === undefined ? undefined : { ...raw, event };
}

/** The last sequence of each key of a processor. */
function saidBy({ name }: Processor, records: readonly LogRecord[]): Map<string, number> {
  const said = new Map<string, number>();
  for (const { event } of records) {
    const { source, sequence } = event.meta;
    if (!source.startsWith(`${name}/`)) continue;
    const key = source.slice(name.length + 1);
    said.set(key, Math.max(said.get(key) ?? 0, sequence));
  }
  return said;
}
