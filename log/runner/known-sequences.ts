import { partitionOf } from "../../schemas/partition.ts";
import type { EventLog } from "../event-log.ts";
import { loadCheckpoints, loadSequences } from "./assignment-store.ts";

const TOPIC = "atlas.sessions";

/**
 * The last sequence that the log holds of each of these sessions: what a group has seen, and what stands in the log
 * behind its checkpoint. Exact whether or not its consumers run.
 *
 * @param group a group that reads `atlas.sessions`
 * @param sources ids of sessions
 */
export async function knownSequences(
  log: EventLog,
  group: string,
  sources: readonly string[],
): Promise<Map<string, number>> {
  const wanted = new Set(sources);
  const byPartition = new Map<number, string[]>();
  for (const source of sources) {
    const partition = partitionOf(source, log.partitions);
    byPartition.set(partition, [...(byPartition.get(partition) ?? []), source]);
  }
  const known = new Map<string, number>();
  for (const [partition, mine] of byPartition) {
    const key = { group, partition };
    // The checkpoint first: what is applied in between is then seen twice rather than not at all.
    const checkpoint = log.db === undefined ? undefined : (await loadCheckpoints(log.db, key)).get(TOPIC);
    if (log.db !== undefined) {
      for (const [source, sequence] of await loadSequences(log.db, key, TOPIC, mine))
        known.set(source, sequence);
    }
    for await (const batch of log.read([TOPIC], { partition, fromOffset: checkpoint?.nextOffset ?? 0 })) {
      for (const { event } of batch) {
        const { source, sequence } = event.meta;
        if (wanted.has(source) && sequence > (known.get(source) ?? 0)) known.set(source, sequence);
      }
    }
  }
  return known;
}
