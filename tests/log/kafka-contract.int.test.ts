import { describe } from "vitest";
import { openPostgres } from "../../database/pg-database.ts";
import { kafka, missing, postgres } from "../services/services.ts";
import { type LogUnderTest, logContract } from "./contract.ts";
import { closedContract } from "./contract-closed.ts";
import { troublesContract } from "./contract-troubles.ts";
import { userEventsContract } from "./contract-user-events.ts";
import { kafkaUnderTest } from "./kafka-under-test.ts";

describe.skipIf(await missing("kafka", "postgres"))("with a broker, a registry and a database server", () => {
  const create = async (): Promise<LogUnderTest> => {
    const db = await openPostgres((await postgres()).url);
    return kafkaUnderTest(await kafka(), db, () => db.close());
  };
  logContract("Kafka", create);
  troublesContract("Kafka", create);
  userEventsContract("Kafka", create);
  closedContract("Kafka", create);
});
