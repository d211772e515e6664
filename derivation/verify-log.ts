import { allTopics } from "../log/all-topics.ts";
import type { EventLog, PartitionPlace } from "../log/event-log.ts";
import type { Uuid } from "../schemas/generated/events.ts";
import type { Topic } from "../schemas/topics.ts";
import { type Disorder, ORDERED_TOPICS } from "./arrivals.ts";
import { placeName, readDisorder } from "./read-disorder.ts";
import { overPartitions } from "./rebuild/computed-again.ts";
import { SaidAgain } from "./said-again.ts";

/** What a look through the whole log found. */
export interface LogReport extends Disorder {
  logId: string;
  events: number;
  topics: { topic: Topic; events: number; ends: readonly number[] }[];
  /** Offsets that are missing, by place. */
  gaps: { topic: Topic; partition: number; from: number; to: number }[];
  /** Sessions whose own sequence has a hole: something of them was lost. */
  incompleteSessions: { sessionId: Uuid; missing: number }[];
}

const ORDERED: ReadonlySet<Topic> = new Set(ORDERED_TOPICS);

/** What was found in one partition of a topic. */
interface PartitionReport {
  events: number;
  gaps: LogReport["gaps"];
  incompleteSessions: LogReport["incompleteSessions"];
}

/** Reads the whole log and reports what does not fit together. Unreadable records throw, with their place. */
export async function verifyLog(log: EventLog, onProgress?: (events: number) => void): Promise<LogReport> {
  const topics = await allTopics(log);
  const ends = await log.ends(topics);
  const found: Pick<LogReport, "topics" | "gaps" | "incompleteSessions"> = {
    topics: [],
    gaps: [],
    incompleteSessions: [],
  };
  const repeated = new Set<string>();
  let events = 0;
  const onRead = (read: number): void => {
    events += read;
    onProgress?.(events);
  };
  for (const topic of topics) {
    const begins = await log.refilling?.begins(topic);
    const parts: PartitionReport[] = [];
    await overPartitions(log.partitions, async (partition) => {
      const range = { from: begins?.[partition] ?? 0, until: ends.get(topic)?.[partition] ?? 0 };
      parts[partition] = await verifyPartition(log, { topic, partition }, range, { repeated, onRead });
    });
    for (const { gaps, incompleteSessions } of parts) {
      for (const gap of gaps) found.gaps.push(gap);
      for (const session of incompleteSessions) found.incompleteSessions.push(session);
    }
    const count = parts.reduce((sum, part) => sum + part.events, 0);
    found.topics.push({ topic, events: count, ends: ends.get(topic)! });
  }
  return { logId: log.id, events, ...found, ...(await readDisorder(log, ends, repeated)) };
}

async function verifyPartition(
  log: EventLog,
  { topic, partition }: PartitionPlace,
  { from, until }: { from: number; until: number },
  { repeated, onRead }: { repeated: Set<string>; onRead: (events: number) => void },
): Promise<PartitionReport> {
  const report: PartitionReport = { events: 0, gaps: [], incompleteSessions: [] };
  const said = new SaidAgain();
  let next = from;
  try {
    for await (const batch of log.read([topic], { partition, untilOffset: until })) {
      for (const record of batch) {
        if (record.offset > next) report.gaps.push({ topic, partition, from: next, to: record.offset - 1 });
        next = record.offset + 1;
        await said.take(record);
      }
      report.events += batch.length;
      onRead(batch.length);
    }
    await said.end({
      missing: (sessionId, missing) => {
        if (topic === "atlas.sessions") report.incompleteSessions.push({ sessionId, missing });
      },
      repeated: (offset) => {
        if (ORDERED.has(topic)) repeated.add(placeName(topic, partition, offset));
      },
    });
  } finally {
    await said.close();
  }
  if (next < until) report.gaps.push({ topic, partition, from: next, to: until - 1 });
  return report;
}
