import { setTimeout as sleep } from "node:timers/promises";
import { AtlasError } from "../../errors/atlas-error.ts";
import { retry } from "../../errors/retry.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { Ends, RawRecord, ReadRange } from "../event-log.ts";
import { hintOfLoss } from "../lost-records.ts";
import type { Begins } from "./begins.ts";
import { BROKER_BACKOFF, isOutOfRange, logError } from "./failures.ts";
import type { Fetched, Fetcher } from "./fetcher.ts";
import { toRecords } from "./message.ts";
import type { Registry } from "./registry.ts";
import type { KafkaSettings } from "./settings.ts";

/** What a bounded read works with. */
export interface ReaderContext {
  settings: KafkaSettings;
  partitions: number;
  fetcher: Fetcher;
  registry: Registry;
  begins: Begins;
}

interface Stretch {
  topic: Topic;
  partition: number;
  from: number;
  until: number;
}

const LIMITS = { maxWaitMs: 100, bytesPerPartition: 2 * 1024 * 1024 };
/** How long a broker may keep silent about records before the end that it named. */
const SILENCE_MS = 5000;

/** The next offset of every partition of these topics. */
export async function readEnds(context: ReaderContext, topics: readonly Topic[]): Promise<Ends> {
  const { settings, fetcher, partitions } = context;
  const ends = await patiently(context, () => fetcher.ends(withPrefix(settings, topics), partitions));
  return new Map(topics.map((topic) => [topic, ends.get(settings.prefix + topic) ?? []]));
}

/**
 * Reads a bounded range, up to the ends as they are when it starts.
 *
 * @throws AtlasError ATLAS_LOG_REPLACED when records of the range are gone, ATLAS_LOG_UNREACHABLE
 */
export async function* readRange(
  context: ReaderContext,
  topics: readonly Topic[],
  range: ReadRange,
): AsyncGenerator<RawRecord[]> {
  for (const stretch of await stretchesOf(context, topics, range)) {
    yield* readStretch(context, stretch);
  }
}

async function* readStretch(context: ReaderContext, stretch: Stretch): AsyncGenerator<RawRecord[]> {
  const { topic, partition, until } = stretch;
  let next = stretch.from;
  let silentSince: number | undefined;
  // The next part is on its way while the caller works on this one.
  let coming = next < until ? fetchFrom(context, stretch, next) : undefined;
  while (coming !== undefined) {
    const { messages } = await coming;
    coming = undefined;
    const wanted = messages.filter((message) => Number(message.offset) < until);
    if (messages.length > 0) {
      next = Number(messages.at(-1)!.offset) + 1;
      silentSince = undefined;
    } else {
      silentSince ??= performance.now();
      if (performance.now() - silentSince > SILENCE_MS) throw gone(stretch, next, until);
      await sleep(LIMITS.maxWaitMs);
    }
    if (next < until) {
      coming = fetchFrom(context, stretch, next);
      coming.catch(() => {});
    }
    const events = wanted.filter((message) => !message.isControlRecord);
    if (events.length > 0) {
      yield await retry(() => toRecords(topic, partition, events, context.registry), {
        ...BROKER_BACKOFF,
        forMs: context.settings.patienceMs,
      });
    }
  }
}

async function fetchFrom(context: ReaderContext, stretch: Stretch, offset: number): Promise<Fetched> {
  const { settings, fetcher } = context;
  const place = { topic: settings.prefix + stretch.topic, partition: stretch.partition, offset };
  const [fetched] = await patiently(context, async () => {
    try {
      return await fetcher.fetch([place], LIMITS);
    } catch (error) {
      if (isOutOfRange(error)) throw gone(stretch, offset, stretch.until);
      throw error;
    }
  });
  return fetched ?? { topic: place.topic, partition: place.partition, end: offset, messages: [] };
}

async function stretchesOf(
  context: ReaderContext,
  topics: readonly Topic[],
  range: ReadRange,
): Promise<Stretch[]> {
  const { settings, fetcher, partitions, begins } = context;
  const named = withPrefix(settings, topics);
  const { from, until } = range as { from?: Date; until?: Date };
  const { fromOffset, untilOffset } = range as { fromOffset?: number; untilOffset?: number };
  const at = (time: Date | undefined): Promise<Map<string, number[]> | undefined> =>
    time === undefined ? Promise.resolve(undefined) : fetcher.offsetsAt(named, partitions, time);
  const [starts, ends, lower, upper] = await patiently(context, () =>
    Promise.all([
      fetcher.starts(named, partitions),
      fetcher.ends(named, partitions),
      at(from),
      at(until),
      begins.learn(),
    ]),
  );
  const stretches: Stretch[] = [];
  for (const topic of topics) {
    const name = settings.prefix + topic;
    for (let partition = 0; partition < partitions; partition += 1) {
      if (range.partition !== undefined && range.partition !== partition) continue;
      const end = ends.get(name)?.[partition] ?? 0;
      const start = starts.get(name)?.[partition] ?? 0;
      // A time after the last record has no offset (-1): everything was appended before it.
      const offsetOf = (found: Map<string, number[]>): number => {
        const offset = found.get(name)?.[partition] ?? -1;
        return offset < 0 ? end : offset;
      };
      const stretch = {
        topic,
        partition,
        from: Math.max(
          begins.of(topic, partition, end),
          lower === undefined ? (fromOffset ?? 0) : offsetOf(lower),
        ),
        until: Math.min(end, upper === undefined ? (untilOffset ?? end) : offsetOf(upper)),
      };
      if (stretch.from < Math.min(start, untilOffset ?? start)) throw gone(stretch, stretch.from, start);
      stretches.push(stretch);
    }
  }
  return stretches;
}

const withPrefix = (settings: KafkaSettings, topics: readonly Topic[]): string[] =>
  topics.map((topic) => settings.prefix + topic);

const patiently = <T>({ settings }: ReaderContext, work: () => Promise<T>): Promise<T> =>
  retry(
    async () => {
      try {
        return await work();
      } catch (error) {
        throw logError(error, settings, "reading failed");
      }
    },
    { ...BROKER_BACKOFF, forMs: settings.patienceMs },
  );

const gone = (
  { topic, partition }: { topic: Topic; partition: number },
  from: number,
  until: number,
): AtlasError =>
  new AtlasError("ATLAS_LOG_REPLACED", `offsets ${from} to ${until - 1} are gone: the log was truncated`, {
    where: `${topic}[${partition}]`,
    hint: hintOfLoss(topic, "Restore the log, or name a first offset that it still has."),
  });
