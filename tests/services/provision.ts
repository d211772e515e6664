import { randomBytes } from "node:crypto";
import pg from "pg";
import { dockerAnswers, kafkaContainers, postgresContainer } from "./docker.ts";
import { startKafka } from "./native/kafka.ts";
import { startPostgres } from "./native/postgres.ts";
import { startRegistry } from "./native/registry.ts";

/** Services that start when they are first asked for, each once, and end together. */
export interface Provision {
  /** @throws ServiceUnavailable when it cannot be had here; so do the others */
  brokers(): Promise<string[]>;
  schemaRegistryUrl(): Promise<string>;
  /** The address of the Postgres server, as a superuser. */
  server(): Promise<string>;
  /** The address of a new, empty database on it. */
  database(): Promise<string>;
  /** Ends what was started and drops what was created. */
  close(): Promise<void>;
}

/**
 * Takes each service from the environment, else from Docker, else starts a native one.
 *
 * @param durable whether a Postgres that it starts syncs to disk
 */
export function openProvision(durable = true): Provision {
  const undo: (() => Promise<void>)[] = [];
  const keep = async <Service extends { stop(): Promise<void> }>(
    starting: Promise<Service>,
  ): Promise<Service> => {
    const service = await starting;
    undo.push(() => service.stop());
    return service;
  };

  const docker = once(dockerAnswers);
  const containers = once(() => keep(kafkaContainers()));
  const brokers = once(async () => {
    const given = process.env.ATLAS_TEST_KAFKA_BROKERS;
    if (given) return given.split(",");
    return ((await docker()) ? await containers() : await keep(startKafka())).brokers;
  });
  const schemaRegistryUrl = once(async () => {
    const given = process.env.ATLAS_TEST_SCHEMA_REGISTRY_URL;
    if (given) return given;
    return ((await docker()) ? await containers() : await keep(startRegistry())).schemaRegistryUrl;
  });
  const server = once(async () => {
    const given = process.env.ATLAS_TEST_DATABASE_URL;
    if (given) return given;
    return ((await docker()) ? await keep(postgresContainer(durable)) : await keep(startPostgres(durable)))
      .url;
  });

  const pending = new Set<Promise<unknown>>();
  const tracked = <T>(asked: Promise<T>): Promise<T> => {
    pending.add(asked);
    return asked;
  };
  return {
    brokers: () => tracked(brokers()),
    schemaRegistryUrl: () => tracked(schemaRegistryUrl()),
    server: () => tracked(server()),
    database: () =>
      tracked(
        server().then(async (url) => {
          const name = `atlas_test_${randomBytes(6).toString("hex")}`;
          await execute(url, `create database ${name}`);
          if (process.env.ATLAS_TEST_DATABASE_URL)
            undo.push(() => execute(url, `drop database ${name} with (force)`));
          const database = new URL(url);
          database.pathname = `/${name}`;
          return database.href;
        }),
      ),
    async close() {
      await Promise.allSettled(pending);
      const results = await Promise.allSettled(undo.splice(0).map((step) => step()));
      for (const result of results) if (result.status === "rejected") throw result.reason;
    },
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
