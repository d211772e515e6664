import { Kafka, logLevel } from "kafkajs";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { mendRequestQueue } from "../../log/kafka/request-queue.ts";
import { kafka, missing, postgres } from "./services.ts";

mendRequestQueue();

describe.skipIf(await missing("kafka"))("kafka and its registry", () => {
  it("answer", async () => {
    const { brokers, schemaRegistryUrl } = await kafka();
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    expect((await admin.describeCluster()).brokers).toHaveLength(1);
    await admin.disconnect();
    const response = await fetch(`${schemaRegistryUrl}/subjects`);
    expect(await response.json()).toBeInstanceOf(Array);
  });

  it("are the same for every suite", async () => {
    expect(await kafka()).toEqual(await kafka());
  });
});

describe.skipIf(await missing("postgres"))("postgres", () => {
  it("answers, with a database of one's own for each call", async () => {
    const databases = new Set<string>();
    for (const { url } of await Promise.all([postgres(), postgres()])) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const { rows } = await client.query<{ name: string }>("select current_database() as name");
      databases.add(rows[0]!.name);
      await client.end();
    }
    expect(databases.size).toBe(2);
  });
});
