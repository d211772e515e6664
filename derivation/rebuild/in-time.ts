import type { EventLog, LogRecord } from "../../log/event-log.ts";
import type { Topic } from "../../schemas/topics.ts";

/** Most records of one batch. */
const BATCH = 500;

interface Stream {
  next: LogRecord;
  rest: AsyncIterator<LogRecord>;
}

async function* recordsOf(
  log: Pick<EventLog, "read">,
  topic: Topic,
  range: { partition: number; untilOffset: number },
): AsyncGenerator<LogRecord> {
  for await (const batch of log.read([topic], range)) yield* batch;
}

/**
 * Reads one partition of several topics side by side, in the order in which their events happened, as far as the order of each
 * topic lets it: a function of what the topics hold, and not of when it was written. A batch is of one topic.
 *
 * @param until the next offset of each topic up to which it is read
 */
export async function* inTime(
  log: Pick<EventLog, "read">,
  partition: number,
  until: ReadonlyMap<Topic, number>,
): AsyncGenerator<{ topic: Topic; batch: LogRecord[] }> {
  const streams: Stream[] = [];
  const advance = async (rest: AsyncIterator<LogRecord>): Promise<void> => {
    const { value, done } = await rest.next();
    if (done !== true) streams.push({ next: value, rest });
  };
  for (const [topic, untilOffset] of until)
    if (untilOffset > 0) await advance(recordsOf(log, topic, { partition, untilOffset }));
  let batch: LogRecord[] = [];
  while (streams.length > 0) {
    let first = streams[0]!;
    for (const stream of streams)
      if (stream.next.event.meta.occurred_at < first.next.event.meta.occurred_at) first = stream;
    streams.splice(streams.indexOf(first), 1);
    const last = batch.at(-1);
    if (last !== undefined && (last.topic !== first.next.topic || batch.length === BATCH)) {
      yield { topic: last.topic, batch };
      batch = [];
    }
    batch.push(first.next);
    await advance(first.rest);
  }
  if (batch.length > 0) yield { topic: batch[0]!.topic, batch };
}
