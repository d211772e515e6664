import { type Answer, CONTROL_URL } from "./control-server.ts";
import { kafkaJars } from "./native/kafka.ts";
import { postgresBinaries } from "./native/postgres.ts";
import { registryApp } from "./native/registry.ts";
import { notRun } from "./not-run.ts";
import { openProvision } from "./provision.ts";
import { ServiceUnavailable } from "./unavailable.ts";

/** What a suite can ask for. A schema registry comes with Kafka. */
export type ServiceName = "kafka" | "postgres";

/**
 * The broker and registry that all suites share: name topics, groups and subjects so that no other suite meets them.
 * The first call starts them, within about 6 s once they are downloaded.
 *
 * @throws ServiceUnavailable when they cannot be had here
 * @example
 * describe.skipIf(await missing("kafka"))("the kafka log", () => {
 *   beforeAll(async () => { ({ brokers, schemaRegistryUrl } = await kafka()); });
 * });
 */
export async function kafka(): Promise<{ brokers: string[]; schemaRegistryUrl: string }> {
  const [brokers, schemaRegistryUrl] = await Promise.all([ask<string[]>("kafka"), ask<string>("registry")]);
  return { brokers, schemaRegistryUrl };
}

/**
 * A new, empty database on the server that all suites share.
 *
 * @throws ServiceUnavailable when there is no server here
 * @example
 * const { url } = await postgres();
 */
export async function postgres(): Promise<{ url: string }> {
  return { url: await ask<string>("database") };
}

/**
 * Whether a suite has to be skipped, for `describe.skipIf`: says why, once. In CI a missing service is an error instead.
 *
 * @throws ServiceUnavailable in CI, when a service cannot be had
 * @example
 * describe.skipIf(await missing("kafka", "postgres"))("a worker", () => { … });
 */
export function missing(...names: ServiceName[]): Promise<boolean> {
  return skipped(names.map((name) => (name === "kafka" ? kafka() : ask("postgres"))));
}

/**
 * The same for suites that start services of their own (`startKafka`, `startRegistry`, `startPostgres` in `native/`) to
 * take them down. Starts nothing.
 *
 * @throws ServiceUnavailable in CI, when a service cannot be had
 * @example
 * describe.skipIf(await nativeMissing("kafka"))("a broker that goes away", () => { … });
 */
export function nativeMissing(...names: ServiceName[]): Promise<boolean> {
  return skipped(
    names.map(async (name) => {
      if (name === "postgres") return postgresBinaries();
      return Promise.all([kafkaJars(), registryApp()]);
    }),
  );
}

async function skipped(needed: Promise<unknown>[]): Promise<boolean> {
  try {
    await Promise.all(needed);
    return false;
  } catch (error) {
    if (!(error instanceof ServiceUnavailable) || inCi()) throw error;
    await notRun(error.message);
    return true;
  }
}

/** Services for a program that is not a test: a benchmark, a soak run. */
export interface Services {
  /** Empty when Kafka was not asked for; so are the other two. */
  brokers: string[];
  schemaRegistryUrl: string;
  databaseUrl: string;
  stop(): Promise<void>;
}

/**
 * Takes or starts the services asked for, of one's own, until `stop`. They end with this process in any case.
 *
 * @throws ServiceUnavailable when one cannot be had here
 * @example
 * const services = await startServices({ kafka: true, registry: true, postgres: true });
 * try { await measure(services); } finally { await services.stop(); }
 */
export async function startServices(wanted: {
  kafka?: boolean;
  registry?: boolean;
  postgres?: boolean;
}): Promise<Services> {
  const provision = openProvision();
  try {
    const [brokers, schemaRegistryUrl, databaseUrl] = await Promise.all([
      wanted.kafka ? provision.brokers() : [],
      wanted.registry ? provision.schemaRegistryUrl() : "",
      wanted.postgres ? provision.database() : "",
    ]);
    return { brokers, schemaRegistryUrl, databaseUrl, stop: provision.close };
  } catch (error) {
    await provision.close();
    throw error;
  }
}

const inCi = (): boolean => /^(1|true)$/i.test(process.env.CI ?? "");

async function ask<Address>(service: string): Promise<Address> {
  const url = process.env[CONTROL_URL];
  if (url === undefined) throw new Error("outside vitest, use startServices()");
  const response = await fetch(`${url}/${service}`, { method: "POST" });
  const answer = (await response.json()) as Answer;
  if ("unavailable" in answer) throw new ServiceUnavailable(answer.unavailable);
  if ("failed" in answer) throw new Error(answer.failed);
  return answer.ready as Address;
}
