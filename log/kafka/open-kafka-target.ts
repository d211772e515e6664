import { retry } from "../../errors/retry.ts";
import { type CopyTarget, refused } from "../copy/copy-records.ts";
import { BROKER_BACKOFF } from "./failures.ts";
import { openKafkaLog } from "./open-kafka-log.ts";
import { RecordProducer } from "./producer.ts";
import { Registry } from "./registry.ts";
import { type KafkaLogOptions, settingsOf } from "./settings.ts";

/**
 * Opens a log on Kafka to copy into. Brokers stamp the records anew; all else stays as it is.
 *
 * @throws AtlasError as openKafkaLog
 */
export async function openKafkaTarget(options: KafkaLogOptions): Promise<CopyTarget> {
  const log = await openKafkaLog(options);
  const settings = settingsOf(options);
  // Sent again blindly, records would stand in the copy twice: a failed send is looked into first.
  const producer = new RecordProducer({ ...settings, patienceMs: 0 }, new Registry(settings.registryUrl));
  return {
    log,
    async place(records) {
      const { topic, partition, offset } = records[0]!;
      let arrived: number | undefined = 0;
      const appendMissing = async (): Promise<void> => {
        if (arrived === undefined) {
          const end = (await log.ends([topic])).get(topic)?.[partition] ?? 0;
          arrived = end - offset;
        }
        if (arrived < 0 || arrived > records.length) {
          const message = `the partition of the target ends at ${offset + arrived}: somebody else appends to it`;
          throw refused(message, `${topic}[${partition}]`, "Copy into a log that nobody uses yet.");
        }
        const missing = records.slice(arrived);
        arrived = undefined;
        await producer.append(missing);
      };
      await retry(appendMissing, { ...BROKER_BACKOFF, forMs: settings.patienceMs });
    },
    async close() {
      await producer.close();
      await log.close();
    },
  };
}
