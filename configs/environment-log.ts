import { AtlasError } from "../errors/atlas-error.ts";

/** Which environment variable a key of the log comes from. */
export const LOG_VARIABLES: Record<string, string> = {
  brokers: "ATLAS_KAFKA_BROKERS",
  schema_registry_url: "ATLAS_SCHEMA_REGISTRY_URL",
  database_url: "ATLAS_DATABASE_URL",
};

const contradiction = (message: string, hint: string): AtlasError =>
  new AtlasError("ATLAS_CONFIG_INVALID", message, { where: "environment", hint });

/**
 * The log that the environment asks for: Kafka where brokers are named, a Postgres server where only a database is,
 * else none in particular.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID where the variables do not go together
 */
export function logOfEnvironment(env: NodeJS.ProcessEnv): Record<string, string> | undefined {
  const brokers = env.ATLAS_KAFKA_BROKERS || undefined;
  const registry = env.ATLAS_SCHEMA_REGISTRY_URL || undefined;
  const database = env.ATLAS_DATABASE_URL || env.STORAGE__DATABASE_URL || undefined;
  if (brokers === undefined) {
    if (registry !== undefined) {
      throw contradiction(
        "ATLAS_SCHEMA_REGISTRY_URL is set, but ATLAS_KAFKA_BROKERS is not",
        "Set both for a log on Kafka, or neither.",
      );
    }
    return database === undefined ? undefined : { kind: "postgres", database_url: database };
  }
  if (registry === undefined) {
    throw contradiction(
      "ATLAS_KAFKA_BROKERS is set, but ATLAS_SCHEMA_REGISTRY_URL is not",
      "A log on Kafka needs a schema registry, and all but reading it a Postgres, ATLAS_DATABASE_URL.",
    );
  }
  return {
    kind: "kafka",
    brokers,
    schema_registry_url: registry,
    ...(database !== undefined && { database_url: database }),
  };
}
