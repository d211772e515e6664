import { openPostgres } from "../../database/pg-database.ts";
import { openKafkaLog } from "../../log/kafka/open-kafka-log.ts";
import type { KafkaLogOptions } from "../../log/kafka/settings.ts";
import { echo } from "./kafka-echo.ts";

// A member of a group in a process of its own, for tests that kill it or put it to sleep.
const { database, group, ...options } = JSON.parse(process.argv[2]!) as KafkaLogOptions & {
  database: string;
  group: string;
};
const log = await openKafkaLog({ ...options, db: await openPostgres(database) });
const consumer = await log.consume({ group, topics: ["atlas.sessions"], batchSize: 20 }, echo);
const telling = setInterval(() => process.stdout.write(`${consumer.assignments.length}\n`), 50);
await consumer.done;
clearInterval(telling);
