/** Copies the embedded log of a folder, and writes how many records it has reached. Argument: {@link CopyOrder} as JSON. */
import { writeSync } from "node:fs";
import { copyLogTo } from "../../app/copy-log.ts";
import { openLogAlone } from "../../app/open-store.ts";
import { copyRecords } from "../../log/copy/copy-records.ts";
import { openKafkaTarget } from "../../log/kafka/open-kafka-target.ts";
import type { Place } from "../soak/place.ts";

/** From which folder to copy, and where to. */
export interface CopyOrder {
  from: string;
  to: Place;
}

const { from, to } = JSON.parse(process.argv[2] ?? "") as CopyOrder;
const onProgress = (records: number): void => void writeSync(1, `${records}\n`);
const { log, close } = await openLogAlone({ kind: "embedded", path: from, partitions: undefined });
if (to.kind === "kafka") {
  // The prefix, which keeps the tests apart on one cluster, is no part of a configuration.
  const { brokers, schemaRegistryUrl, topicPrefix } = to;
  const target = await openKafkaTarget({
    brokers,
    schemaRegistryUrl,
    topicPrefix,
    partitions: log.partitions,
  });
  await copyRecords(log, target, { onProgress });
  await target.close();
} else await copyLogTo(log, { ...to, partitions: undefined }, { onProgress });
await close();
