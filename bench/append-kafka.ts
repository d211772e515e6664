import type { Message } from "kafkajs";
import { headersOf } from "../log/kafka/headers.ts";
import { toOutgoing } from "../log/outgoing.ts";
import type { BenchContext, Benchmark, Figure } from "./benchmark.ts";
import { inTurns, rateOf } from "./rounds.ts";
import { inBatches, madeUpSessions } from "./sessions.ts";
import { createTopic, eventsOf, kafkaClient, kafkaStore } from "./stores.ts";

const BATCH = 500;
const EVENTS = 15_000;
const FRAME = Buffer.from([0, 0, 0, 0, 1]);

/** Appending to Kafka, beside sending messages of the same bytes that lie ready: once with headers, once without. */
export const appendKafka: Benchmark = {
  name: "append-kafka",
  needs: { kafka: true, postgres: true },
  async run(context: BenchContext): Promise<Figure[]> {
    const { log, prefix, close } = await kafkaStore(context);
    const producer = kafkaClient(context).producer({ allowAutoTopicCreation: false });
    const topic = `${prefix}raw`;
    try {
      await createTopic(context, topic, log.partitions);
      await producer.connect();
      const sessions = madeUpSessions(Math.ceil(EVENTS / context.events), context.events);
      const batches = [...inBatches(eventsOf(sessions), BATCH)];
      const count = batches.flat().length;
      const messagesOf = (withHeaders: boolean): Message[][] =>
        batches.map((batch) =>
          toOutgoing(batch.map(log.mask), log.partitions).map((record) => ({
            key: record.key,
            partition: record.partition,
            value: Buffer.concat([FRAME, record.body]),
            ...(withHeaders && { headers: headersOf(record) }),
          })),
        );
      const beside = (messages: readonly Message[][], what: string): Promise<Figure> =>
        inTurns(
          context.rounds,
          {
            benchmark: appendKafka.name,
            what: `batches of ${BATCH}`,
            unit: "events/s",
            beside: `kafkajs send of the same ${what}`,
          },
          {
            ours: () =>
              rateOf(count, async () => {
                for (const batch of batches) await log.append(batch.map(log.mask));
              }),
            ceiling: () =>
              rateOf(count, async () => {
                for (const batch of messages) await producer.send({ topic, acks: -1, messages: batch });
              }),
          },
        );
      return [
        await beside(messagesOf(true), "keys, values, headers"),
        await beside(messagesOf(false), "keys and values"),
      ];
    } finally {
      await producer.disconnect();
      await close();
    }
  },
};
