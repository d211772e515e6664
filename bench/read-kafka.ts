import type { Consumer } from "kafkajs";
import { fingerprintIn } from "../log/kafka/headers.ts";
import type { BenchContext, Benchmark, Figure } from "./benchmark.ts";
import { rawDecode } from "./raw-decode.ts";
import { inTurns, rateOf } from "./rounds.ts";
import { inBatches, madeUpSessions } from "./sessions.ts";
import { eventsOf, kafkaClient, kafkaStore } from "./stores.ts";

const FRAME_BYTES = 5;
const TOPIC = "atlas.sessions";

/** Reads the topic with a consumer of its own; the clock starts when the group has given it the partitions. */
async function readRaw(consumer: Consumer, topic: string, count: number): Promise<number> {
  let joined = 0;
  consumer.on(consumer.events.GROUP_JOIN, () => {
    joined = performance.now();
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const fingerprints = new Map<number, string>();
  let left = count;
  const seconds = await new Promise<number>((resolve, reject) => {
    const eachBatch = async ({ batch }: { batch: import("kafkajs").Batch }): Promise<void> => {
      for (const { value, headers } of batch.messages) {
        const schemaId = value!.readInt32BE(1);
        let fingerprint = fingerprints.get(schemaId);
        if (fingerprint === undefined) {
          fingerprint = fingerprintIn(headers)!;
          fingerprints.set(schemaId, fingerprint);
        }
        rawDecode(fingerprint, value!.subarray(FRAME_BYTES));
      }
      left -= batch.messages.length;
      if (left === 0) resolve((performance.now() - joined) / 1000);
    };
    consumer.run({ autoCommit: false, eachBatch }).catch(reject);
  });
  await consumer.disconnect();
  return count / seconds;
}

/** Reading a range of Kafka, beside a kafkajs consumer of the same topic that decodes with avsc. */
export const readKafka: Benchmark = {
  name: "read-kafka",
  needs: { kafka: true, postgres: true },
  async run(context: BenchContext): Promise<Figure[]> {
    const { log, prefix, close } = await kafkaStore(context);
    try {
      const sessions = [...madeUpSessions(context.sessions, context.events)];
      for (const batch of inBatches(eventsOf(sessions), 500)) await log.append(batch.map(log.mask));
      const count = sessions.flat().length;
      const kafka = kafkaClient(context);
      let groups = 0;
      const figure = await inTurns(
        context.rounds,
        {
          benchmark: readKafka.name,
          what: `${count.toLocaleString("en-US")} events`,
          unit: "events/s",
          beside: "kafkajs eachBatch and avsc decode",
        },
        {
          ours: () =>
            rateOf(count, async () => {
              for await (const _ of log.read([TOPIC]));
            }),
          ceiling: () => {
            groups += 1;
            const consumer = kafka.consumer({ groupId: `${prefix}raw-${groups}` });
            return readRaw(consumer, prefix + TOPIC, count);
          },
        },
      );
      return [figure];
    } finally {
      await close();
    }
  },
};
