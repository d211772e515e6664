import { allTopics } from "../log/all-topics.ts";
import type { EventLog } from "../log/event-log.ts";
import type { Uuid } from "../schemas/generated/events.ts";
import type { Topic } from "../schemas/topics.ts";
import { type Disorder, ORDERED_TOPICS } from "./arrivals.ts";
import { placeName, readDisorder } from "./read-disorder.ts";
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

/** Reads the whole log and reports what does not fit together. Unreadable records throw, with their place. */
export async function verifyLog(log: EventLog, onProgress?: (events: number) => void): Promise<LogReport> {
  const topics = await allTopics(log);
  const ends = await log.ends(topics);
  const report: LogReport = {
    logId: log.id,
    events: 0,
    topics: [],
    gaps: [],
    incompleteSessions: [],
    outOfOrder: [],
    lateDecisions: [],
    unorderedReviews: [],
    waiting: [],
  };
  const repeated = new Set<string>();
  for (const topic of topics) {
    let events = 0;
    const begins = await log.refilling?.begins(topic);
    for (const [partition, end] of ends.get(topic)!.entries()) {
      let next = begins?.[partition] ?? 0;
      const said = new SaidAgain();
      for await (const batch of log.read([topic], { partition, untilOffset: end })) {
        for (const record of batch) {
          if (record.offset > next) report.gaps.push({ topic, partition, from: next, to: record.offset - 1 });
          next = record.offset + 1;
          await said.take(record);
        }
        events += batch.length;
        report.events += batch.length;
        onProgress?.(report.events);
      }
      await said.end({
        missing: (sessionId, missing) => {
          if (topic === "atlas.sessions") report.incompleteSessions.push({ sessionId, missing });
        },
        repeated: (offset) => {
          if (ORDERED.has(topic)) repeated.add(placeName(topic, partition, offset));
        },
      });
      if (next < end) report.gaps.push({ topic, partition, from: next, to: end - 1 });
    }
    report.topics.push({ topic, events, ends: ends.get(topic)! });
  }
  return { ...report, ...(await readDisorder(log, ends, repeated)) };
}
