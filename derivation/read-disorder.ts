import type { Ends, EventLog } from "../log/event-log.ts";
import { groupOfVersion } from "../log/runner/versions.ts";
import { drift } from "../processors/drift.ts";
import { Arrivals, type Disorder, ORDERED_TOPICS } from "./arrivals.ts";
import { SaidAgain } from "./said-again.ts";
import { setAsideBy } from "./set-aside.ts";

/** Names the place of a record. */
export const placeName = (topic: string, partition: number, offset: number): string =>
  `${topic}/${partition}/${offset}`;

/** Where sources of the topics whose order is watched say what they have said before. */
async function repeatedIn(log: EventLog, ends: Ends): Promise<Set<string>> {
  const places = new Set<string>();
  for (const topic of ORDERED_TOPICS)
    for (const [partition, untilOffset] of ends.get(topic)!.entries()) {
      const said = new SaidAgain();
      const repeated = (offset: number): void => void places.add(placeName(topic, partition, offset));
      try {
        for await (const batch of log.read([topic], { partition, untilOffset }))
          for (const record of batch) await said.take(record);
        await said.end({ missing: () => undefined, repeated });
      } finally {
        await said.close();
      }
    }
  return places;
}

/**
 * In which order facts reached a log, up to these ends.
 *
 * @param repeated names of places that say what was said before; looked for unless told
 */
export async function readDisorder(
  log: EventLog,
  ends: Ends,
  repeated?: ReadonlySet<string>,
): Promise<Disorder> {
  const isRepeated = repeated ?? (await repeatedIn(log, ends));
  const arrivals = new Arrivals(await setAsideBy(log, groupOfVersion(drift)));
  try {
    for (const topic of ORDERED_TOPICS)
      for (const [partition, untilOffset] of ends.get(topic)!.entries())
        for await (const batch of log.read([topic], { partition, untilOffset }))
          for (const record of batch)
            if (!isRepeated.has(placeName(topic, partition, record.offset))) await arrivals.take(record);
    return await arrivals.disorder();
  } finally {
    await arrivals.close();
  }
}
