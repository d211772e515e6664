import { retry } from "../../errors/retry.ts";
import type { Topic } from "../../schemas/topics.ts";
import type { Refilling } from "../event-log.ts";
import { BROKER_BACKOFF, logError } from "./failures.ts";
import type { RecordProducer } from "./producer.ts";
import { type ReaderContext, readEnds, readRange } from "./reader.ts";

/** Fills partitions on Kafka anew: behind what they hold, which from then on nobody reads. */
export function kafkaRefilling(context: ReaderContext, producer: RecordProducer): Refilling {
  const { settings, fetcher, partitions, begins } = context;
  const patiently = <T>(work: () => Promise<T>): Promise<T> =>
    retry(
      async () => {
        try {
          return await work();
        } catch (error) {
          throw logError(error, settings, "the log does not answer");
        }
      },
      { ...BROKER_BACKOFF, forMs: settings.patienceMs },
    );
  const startsOf = async (topic: Topic): Promise<number[]> => {
    const name = settings.prefix + topic;
    return (await patiently(() => fetcher.starts([name], partitions))).get(name) ?? [];
  };
  const endsOf = async (topic: Topic): Promise<readonly number[]> =>
    (await readEnds(context, [topic])).get(topic) ?? [];

  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const beginsOf = async (topic: Topic): Promise<number[]> => {
    await patiently(() => begins.learn());
    return all.map((partition) => begins.of(topic, partition));
  };

  return {
    begins: beginsOf,
    async damaged(topic) {
      const known = await beginsOf(topic);
      const [starts, ends] = [await startsOf(topic), await endsOf(topic)];
      return all.filter((partition) => {
        const begin = known[partition] ?? 0;
        return (starts[partition] ?? 0) > begin || (ends[partition] ?? 0) < begin;
      });
    },
    async *left(_tx, { topic, partition }) {
      const fromOffset = (await startsOf(topic))[partition] ?? 0;
      yield* readRange(context, [topic], { partition, fromOffset });
    },
    async refill(_tx, { topic, partition }, records) {
      const from = (await endsOf(topic))[partition] ?? 0;
      for await (const batch of records) await producer.append(batch);
      const until = (await endsOf(topic))[partition] ?? 0;
      await patiently(() => begins.learn());
      if (begins.of(topic, partition) !== from)
        await patiently(() => begins.say({ topic, partition, offset: from }));
      return { from, until, endBefore: from };
    },
  };
}
