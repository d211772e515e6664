import pg from "pg";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startPostgres } from "./native/postgres.ts";
import { openProvision } from "./provision.ts";
import { nativeMissing, startServices } from "./services.ts";

const noPostgres = await nativeMissing("postgres");

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("services whose addresses the environment gives", () => {
  it("are taken, not started", async () => {
    vi.stubEnv("ATLAS_TEST_KAFKA_BROKERS", "one:9092,two:9092");
    vi.stubEnv("ATLAS_TEST_SCHEMA_REGISTRY_URL", "http://registry:8081");
    const services = await startServices({ kafka: true, registry: true });
    expect(services.brokers).toEqual(["one:9092", "two:9092"]);
    expect(services.schemaRegistryUrl).toBe("http://registry:8081");
    expect(services.databaseUrl).toBe("");
    await services.stop();
  });

  it.skipIf(noPostgres)("get their databases back as they were", async () => {
    await using server = await startPostgres();
    vi.stubEnv("ATLAS_TEST_DATABASE_URL", server.url);
    const provision = openProvision();
    const url = await provision.database();
    expect(new URL(url).pathname).toMatch(/^\/atlas_test_[0-9a-f]{12}$/);
    expect(await databases(server.url)).toContain(new URL(url).pathname.slice(1));
    await provision.close();
    expect(await databases(server.url)).toEqual(["postgres"]);
  });
});

async function databases(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ datname: string }>(
    "select datname from pg_database where not datistemplate order by 1",
  );
  await client.end();
  return rows.map((row) => row.datname);
}
