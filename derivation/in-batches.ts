import type { AtlasEvent } from "../schemas/generated/events.ts";

/** Events that are appended at a time. */
const BATCH = 500;

/** What comes of each of many, in batches that one appends. */
export async function* inBatches<T>(
  all: AsyncIterable<T>,
  eventsOf: (one: T) => readonly AtlasEvent[],
): AsyncGenerator<AtlasEvent[]> {
  let batch: AtlasEvent[] = [];
  for await (const one of all) {
    for (const event of eventsOf(one)) batch.push(event);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
