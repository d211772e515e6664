import type { EventLog } from "../../log/event-log.ts";
import { digestOf } from "../../log/runner/assignment.ts";
import { beingRefilled, type CheckpointOf, checkpointsOn } from "../../log/runner/refilled.ts";
import type { Topic } from "../../schemas/topics.ts";

/**
 * The partitions of a topic that lost something: the log says so itself, or a group has applied a record there that is no more,
 * or is another one.
 */
export async function lostPlaces(log: EventLog, topic: Topic): Promise<Set<number>> {
  const lost = new Set([...(await log.refilling!.damaged(topic)), ...(await beingRefilled(log.db!, topic))]);
  const ends = (await log.ends([topic])).get(topic) ?? [];
  const looked = new Map<string, boolean>();
  for (const checkpoint of await checkpointsOn(log.db!, topic)) {
    const { partition, nextOffset, digest } = checkpoint;
    if (lost.has(partition)) continue;
    if (nextOffset > (ends[partition] ?? 0)) lost.add(partition);
    else if (digest !== null) {
      const name = `${partition} ${nextOffset} ${digest}`;
      const isThere = looked.get(name) ?? (await holds(log, topic, checkpoint));
      looked.set(name, isThere);
      if (!isThere) lost.add(partition);
    }
  }
  return lost;
}

async function holds(
  log: EventLog,
  topic: Topic,
  { partition, nextOffset, digest }: CheckpointOf,
): Promise<boolean> {
  const range = { partition, fromOffset: nextOffset - 1, untilOffset: nextOffset };
  for await (const [record] of log.readRaw([topic], range))
    if (record?.offset === nextOffset - 1) return digestOf(record.body) === digest;
  return false;
}
