import type { ConfigInput, LogConfig } from "../configs/config-schema.ts";
import { loadConfig } from "../configs/load-config.ts";
import { AtlasError } from "../errors/atlas-error.ts";

const KAFKA = /^kafka:\/\//;

function logOf(to: string, schemaRegistryUrl: string | undefined): ConfigInput["log"] {
  if (/^postgres(ql)?:\/\//.test(to)) return { kind: "postgres", databaseUrl: to };
  if (!KAFKA.test(to)) return { kind: "embedded", path: to };
  if (schemaRegistryUrl === undefined) {
    throw new AtlasError("ATLAS_USAGE", "a log on Kafka needs a schema registry", {
      where: "--to",
      hint: "Add --schema-registry-url, or name a YAML file with the log.",
    });
  }
  return { kind: "kafka", brokers: to.replace(KAFKA, "").split(","), schemaRegistryUrl };
}

/**
 * The log that `--to` names: a Postgres URL, `kafka://host:port,…`, a YAML file, or the folder of an embedded one.
 *
 * @throws AtlasError ATLAS_USAGE, ATLAS_CONFIG_INVALID, ATLAS_CONFIG_NOT_FOUND
 */
export function copyTargetOf(to: string, schemaRegistryUrl: string | undefined): LogConfig {
  if (to.trim() === "") throw new AtlasError("ATLAS_USAGE", "it is empty", { where: "--to" });
  const isFile = /\.ya?ml$/i.test(to);
  if (schemaRegistryUrl !== undefined && !KAFKA.test(to)) {
    throw new AtlasError("ATLAS_USAGE", "only a log on Kafka has a schema registry", {
      where: "--schema-registry-url",
      hint: "Name the brokers with --to kafka://host:port, or leave it out.",
    });
  }
  return loadConfig(isFile ? to : { log: logOf(to, schemaRegistryUrl) }).log;
}
