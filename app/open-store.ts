import type { LogConfig } from "../configs/config-schema.ts";
import type { Database } from "../database/database.ts";
import { openEmbedded } from "../database/embedded/open-embedded.ts";
import type { Migrations } from "../database/migrate.ts";
import { openPostgres } from "../database/pg-database.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import { requireNode } from "../errors/node-version.ts";
import type { EventLog } from "../log/event-log.ts";
import type { KafkaLogOptions } from "../log/kafka/settings.ts";
import { LOG_TABLES, prepareLogTables } from "../log/log-tables.ts";
import { openPostgresLog } from "../log/postgres/open-postgres-log.ts";
import { logElsewhere } from "../log/runner/assignment-store.ts";
import { prepareReadModels, readModelTables } from "../projections/prepare-read-models.ts";
import type { Mask } from "../schemas/masked.ts";
import { absentLog } from "./absent-log.ts";

/** A log and the database of its consumers, opened together. */
export interface Store {
  readonly log: EventLog;
  readonly db: Database;
  close(): Promise<void>;
}

/** What a new embedded log holds from the start. The build makes a template of it. */
export const EMBEDDED_TABLES: readonly Migrations[] = [LOG_TABLES, readModelTables("public")];

type KafkaConfig = Extract<LogConfig, { kind: "kafka" }>;

/** How the Kafka of a configuration is reached. */
export function kafkaOptionsOf(config: KafkaConfig): KafkaLogOptions {
  const { brokers, schemaRegistryUrl, partitions, replicationFactor, ssl, sasl } = config;
  return {
    brokers,
    schemaRegistryUrl,
    ssl,
    ...(partitions !== undefined && { partitions }),
    ...(replicationFactor !== undefined && { replicationFactor }),
    ...(sasl !== undefined && {
      sasl: {
        mechanism: sasl.mechanism,
        username: sasl.username,
        password: process.env[sasl.passwordEnv] ?? "",
      },
    }),
  };
}

/** The database of a configuration, without which a log on Kafka can only be read. */
function databaseOf({ databaseUrl }: { databaseUrl?: string | undefined }): string {
  if (databaseUrl !== undefined) return databaseUrl;
  throw new AtlasError(
    "ATLAS_CONFIG_INVALID",
    "a log on Kafka needs a Postgres for checkpoints and read models",
    {
      where: "log.database_url",
      hint: "Set it, or ATLAS_DATABASE_URL; datasets are built, and logs read, without.",
    },
  );
}

/**
 * Opens the log of a configuration with its database, and brings the tables up to date.
 *
 * @throws AtlasError ATLAS_LOG_HELD, ATLAS_LOG_UNREACHABLE, ATLAS_DATABASE_UNREACHABLE, ATLAS_DATABASE_TOO_NEW,
 *   ATLAS_NODE_UNSUPPORTED and what the adapters throw
 */
export async function openStore(config: LogConfig, mask?: Mask): Promise<Store> {
  requireNode();
  const db =
    config.kind === "embedded"
      ? await openEmbedded(config.path, {
          tables: EMBEDDED_TABLES,
          ...(config.durable !== undefined && { durable: config.durable }),
        })
      : await openPostgres(databaseOf(config));
  let log: EventLog | undefined;
  try {
    await prepareLogTables(db);
    const elsewhere = config.kind === "kafka" ? undefined : await logElsewhere(db);
    if (config.kind === "kafka") {
      const { openKafkaLog } = await import("../log/kafka/open-kafka-log.ts");
      log = await openKafkaLog({ ...kafkaOptionsOf(config), db, mask });
    } else if (elsewhere !== undefined) {
      log = absentLog(db, elsewhere, mask);
    } else {
      const { partitions } = config;
      log = await openPostgresLog({
        db,
        mask,
        embedded: config.kind === "embedded",
        ...(partitions !== undefined && { partitions }),
      });
    }
    await prepareReadModels(db);
  } catch (error) {
    await log?.close().catch(() => undefined);
    await db.close().catch(() => undefined);
    throw error;
  }
  const opened = log;
  return {
    log: opened,
    db,
    close: async () => {
      await opened.close();
      await db.close();
    },
  };
}

/**
 * Opens the log of a configuration to read and append: on Kafka no database is needed for that.
 *
 * @throws AtlasError as {@link openStore}
 */
export async function openLogAlone(
  config: LogConfig,
  mask?: Mask,
): Promise<{ log: EventLog; close(): Promise<void> }> {
  if (config.kind !== "kafka") return openStore(config, mask);
  requireNode();
  const { openKafkaLog } = await import("../log/kafka/open-kafka-log.ts");
  const log = await openKafkaLog({ ...kafkaOptionsOf(config), mask });
  return { log, close: () => log.close() };
}
