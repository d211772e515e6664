import type { CopyTarget } from "../copy/copy-records.ts";
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
  const producer = new RecordProducer(settings, new Registry(settings.registryUrl));
  return {
    log,
    place: (records) => producer.append(records),
    async close() {
      await producer.close();
      await log.close();
    },
  };
}
