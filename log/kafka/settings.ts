import type { ConnectionOptions } from "node:tls";
import type { SASLOptions } from "kafkajs";
import type { Database } from "../../database/database.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { Mask } from "../../schemas/masked.ts";

/** How to open a log on Kafka. Times are in milliseconds. */
export interface KafkaLogOptions {
  /** `host:port` of one or more brokers of the cluster. */
  brokers: readonly string[];
  /** Address of a Confluent-compatible registry, with its path; credentials may stand in it. */
  schemaRegistryUrl: string;
  /** Holds checkpoints, state and read models of consumers. */
  db?: Database | undefined;
  /** Put before every topic and group, so that several logs fit on one cluster; none unless told. */
  topicPrefix?: string | undefined;
  /** Partitions of every topic, fixed when the log is created; 8 unless told. */
  partitions?: number | undefined;
  /** Copies of every partition; the brokers' default unless told. */
  replicationFactor?: number | undefined;
  ssl?: boolean | ConnectionOptions | undefined;
  sasl?: SASLOptions | undefined;
  clientId?: string | undefined;
  /** What `log.mask` takes out; nothing unless told. */
  mask?: Mask | undefined;
  /** Creates topics that are missing; true unless told. */
  create?: boolean | undefined;
  /** How long to wait for the brokers when opening; 10,000 unless told. */
  openTimeoutMs?: number | undefined;
  /** How long an append or a read waits for brokers or a registry that do not answer; 30,000 unless told. */
  patienceMs?: number | undefined;
  /** How long a broker may take for one answer; 15,000 unless told. */
  requestTimeoutMs?: number | undefined;
  /** How long a broker may hold a consumer's question for new records; 1000 unless told. */
  maxWaitTimeMs?: number | undefined;
  /** After this silence a member has lost its assignments; 10,000 unless told (brokers refuse less than 6,000). */
  sessionTimeoutMs?: number | undefined;
}

/** The options with every default filled in. */
export interface KafkaSettings {
  brokers: readonly string[];
  registryUrl: string;
  prefix: string;
  partitions: number | undefined;
  replicationFactor: number | undefined;
  ssl: ConnectionOptions | undefined;
  sasl: SASLOptions | undefined;
  clientId: string;
  create: boolean;
  openTimeoutMs: number;
  patienceMs: number;
  requestTimeoutMs: number;
  maxWaitTimeMs: number;
  sessionTimeoutMs: number;
  /** Human-readable address without credentials. */
  address: string;
}

/**
 * Fills in the defaults and refuses what cannot be meant.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID
 */
export function settingsOf(options: KafkaLogOptions): KafkaSettings {
  const { brokers, schemaRegistryUrl, topicPrefix = "" } = options;
  if (brokers.length === 0) throw invalid("brokers", "is empty", "Name at least one as host:port.");
  for (const broker of brokers) {
    if (!/^(\[[^\]]+\]|[^:/@\s]+):\d+$/.test(broker))
      throw invalid("brokers", `has ${JSON.stringify(broker)}`, "Write host:port.");
  }
  if (!/^https?:\/\//.test(schemaRegistryUrl) || !URL.canParse(schemaRegistryUrl)) {
    throw invalid(
      "schemaRegistryUrl",
      "is not an http or https address",
      "Write for example http://localhost:8081.",
    );
  }
  if (!/^[A-Za-z0-9._-]{0,100}$/.test(topicPrefix)) {
    throw invalid(
      "topicPrefix",
      `is ${JSON.stringify(topicPrefix)}`,
      "Use letters, digits, '.', '_' and '-'.",
    );
  }
  if (options.partitions !== undefined && !(Number.isInteger(options.partitions) && options.partitions > 0)) {
    throw invalid("partitions", `is ${options.partitions}`, "Use a whole number above 0.");
  }
  const ssl = options.ssl === true ? {} : options.ssl || undefined;
  if (options.sasl !== undefined && ssl === undefined && !brokers.every(isLoopback)) {
    throw invalid("sasl", "would send credentials without TLS", "Set ssl, or use a broker on this machine.");
  }
  return {
    brokers,
    registryUrl: schemaRegistryUrl.replace(/\/+$/, ""),
    prefix: topicPrefix,
    partitions: options.partitions,
    replicationFactor: options.replicationFactor,
    ssl,
    sasl: options.sasl,
    clientId: options.clientId ?? "atlas-sdk",
    create: options.create ?? true,
    openTimeoutMs: options.openTimeoutMs ?? 10_000,
    patienceMs: options.patienceMs ?? 30_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 15_000,
    maxWaitTimeMs: options.maxWaitTimeMs ?? 1000,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
    address: `kafka://${brokers.join(",")}${topicPrefix === "" ? "" : `/${topicPrefix}`}`,
  };
}

const isLoopback = (broker: string): boolean =>
  /^(localhost|127(\.\d+){3}|\[::1\])$/.test(broker.slice(0, broker.lastIndexOf(":")));

const invalid = (where: string, problem: string, hint: string): AtlasError =>
  new AtlasError("ATLAS_CONFIG_INVALID", `${where} ${problem}`, { where: `log.${where}`, hint });
