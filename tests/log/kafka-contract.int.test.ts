import { describe } from "vitest";
import { openPostgres } from "../../database/pg-database.ts";
import { kafka, missing, postgres } from "../services/services.ts";
import { logContract } from "./contract.ts";
import { kafkaUnderTest } from "./kafka-under-test.ts";

describe.skipIf(await missing("kafka", "postgres"))("with a broker, a registry and a database server", () => {
  logContract("Kafka", async () => {
    const db = await openPostgres((await postgres()).url);
    return kafkaUnderTest(await kafka(), db, () => db.close());
  });
});
