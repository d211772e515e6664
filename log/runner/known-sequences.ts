import { partitionOf } from "../../schemas/partition.ts";
import type { EventLog } from "../event-log.ts";
import { isSessionId } from "../session-ids.ts";
import { loadCheckpoints } from "./assignment-store.ts";
import { loadSources } from "./source-store.ts";

const TOPIC = "atlas.sessions" as const;

/**
 * The last sequence that the log holds of sessions: what a group has seen, and what stood in the log behind its
 * checkpoint when a partition was first asked about. That is read once, however often one asks: who appends knows what
 * it has appended since. Exact whether or not the group's consumers run.
 *
 * @param group a group that reads `atlas.sessions`
 * @returns a function that takes ids of sessions
 */
export function knownSequences(
  log: EventLog,
  group: string,
): (sources: readonly string[]) => Promise<Map<string, number>> {
  const behind = new Map<number, Map<string, number>>();

  const readBehind = async (partition: number): Promise<Map<string, number>> => {
    const found = new Map<string, number>();
    const checkpoint =
      log.db === undefined ? undefined : (await loadCheckpoints(log.db, { group, partition })).get(TOPIC);
    for await (const batch of log.read([TOPIC], { partition, fromOffset: checkpoint?.nextOffset ?? 0 })) {
      for (const { event } of batch) {
        const { source, sequence } = event.meta;
        if (sequence > (found.get(source) ?? 0)) found.set(source, sequence);
      }
    }
    return found;
  };

  return async (sources) => {
    const byPartition = Map.groupBy(sources, (source) => partitionOf(source, log.partitions));
    const known = new Map<string, number>();
    for (const [partition, mine] of byPartition) {
      // Behind the checkpoint first: what is applied in between is then seen twice rather than not at all.
      const rest = behind.get(partition) ?? (await readBehind(partition));
      behind.set(partition, rest);
      const place = { key: { group, partition }, topic: TOPIC };
      const seen =
        log.db === undefined ? undefined : await loadSources(log.db, place, mine, mine.filter(isSessionId));
      for (const source of mine) {
        // Whichever group closed a session, the log holds it up to there.
        const closed = seen?.marks.get(source)?.closed?.lastSequence ?? 0;
        const last = Math.max(seen?.sequences.get(source) ?? 0, closed, rest.get(source) ?? 0);
        if (last > 0) known.set(source, last);
      }
    }
    return known;
  };
}
