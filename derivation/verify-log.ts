import { allTopics } from "../log/all-topics.ts";
import type { EventLog, LogRecord } from "../log/event-log.ts";
import { Repetitions } from "../log/runner/repetitions.ts";
import { groupOfVersion } from "../log/runner/versions.ts";
import { drift } from "../processors/drift.ts";
import type { Uuid } from "../schemas/generated/events.ts";
import type { Topic } from "../schemas/topics.ts";
import { Arrivals, type Disorder } from "./arrivals.ts";
import { setAsideBy } from "./set-aside.ts";

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
  const repetitions = new Repetitions();
  const missing = new Map<Uuid, number>();
  const arrivals = new Arrivals(await setAsideBy(log, groupOfVersion(drift)));

  const visit = (record: LogRecord): void => {
    const { topic, event } = record;
    const { session_id, source, sequence } = event.meta;
    const last = repetitions.lastOf(record) ?? 0;
    if (!repetitions.isNew(record)) return;
    if (topic === "atlas.sessions" && session_id === source && sequence > last + 1)
      missing.set(source, (missing.get(source) ?? 0) + sequence - last - 1);
    arrivals.take(record);
  };

  for (const topic of topics) {
    let events = 0;
    for (const [partition, end] of ends.get(topic)!.entries()) {
      let next = 0;
      for await (const batch of log.read([topic], { partition, untilOffset: end })) {
        for (const record of batch) {
          if (record.offset > next) report.gaps.push({ topic, partition, from: next, to: record.offset - 1 });
          next = record.offset + 1;
          visit(record);
        }
        events += batch.length;
        report.events += batch.length;
        onProgress?.(report.events);
      }
      if (next < end) report.gaps.push({ topic, partition, from: next, to: end - 1 });
    }
    report.topics.push({ topic, events, ends: ends.get(topic)! });
  }
  for (const [sessionId, lost] of missing) report.incompleteSessions.push({ sessionId, missing: lost });
  return { ...report, ...arrivals.disorder() };
}
