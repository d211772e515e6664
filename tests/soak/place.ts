import { intakeInto } from "../../app/intake-into.ts";
import { openAtlas } from "../../app/open-atlas.ts";
import { type Pipeline, startPipeline } from "../../app/pipeline.ts";
import { loadConfig } from "../../configs/load-config.ts";
import type { Database } from "../../database/database.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { openRules, type RulesStore } from "../../derivation/rules.ts";
import { settle } from "../../derivation/stages.ts";
import { importRecorded } from "../../intake/import/import-recorded.ts";
import type { ImportSummary } from "../../intake/import/intake.ts";
import type { EventLog } from "../../log/event-log.ts";
import { openKafkaLog } from "../../log/kafka/open-kafka-log.ts";
import { prepareLogTables } from "../../log/log-tables.ts";
import { prepareReadModels } from "../../projections/prepare-read-models.ts";

/** Where a log and its read models are, as it is told to other processes. */
export type Place =
  | { kind: "embedded"; path: string }
  | { kind: "postgres"; databaseUrl: string }
  | {
      kind: "kafka";
      brokers: string[];
      schemaRegistryUrl: string;
      databaseUrl: string;
      /** Keeps several logs apart on one cluster. */
      topicPrefix: string;
    };

/** By which drift and reward decide on a session, so that a wrong one shows in its status. */
const RULES = {
  // With so few sessions a key, a test that rarely errs sees nothing.
  drift: { threshold: 2 },
  review: { autoApprove: { minReward: 0.4, maxUncertainty: null }, quarantineOnAlert: "decline" },
} as const;

/** When conversations without recorded times happened. */
const AT = new Date("2025-01-01T00:00:00Z");

/** A place that was opened. */
export interface OpenPlace {
  log: EventLog;
  db: Database;
  rules: RulesStore;
  pipeline: Pipeline | undefined;
  importFile(file: string): Promise<ImportSummary>;
  settled(): Promise<void>;
  close(): Promise<void>;
}

const importing =
  ({ log, rules }: Pick<OpenPlace, "log" | "rules">): OpenPlace["importFile"] =>
  async (file) => {
    const intake = await intakeInto(log, rules, loadConfig({ rules: RULES }, {}).rules);
    return importRecorded({ files: [file], at: AT, ...intake });
  };

async function openKafkaPlace(
  place: Extract<Place, { kind: "kafka" }>,
  consumers: boolean,
): Promise<OpenPlace> {
  const { kind: _, databaseUrl, ...options } = place;
  const db = await openPostgres(databaseUrl);
  await prepareLogTables(db);
  const log = await openKafkaLog({ ...options, db, partitions: 4, sessionTimeoutMs: 6000 });
  await prepareReadModels(db);
  const rules = openRules(log);
  const pipeline = consumers ? await startPipeline(log, rules) : undefined;
  return {
    log,
    db,
    rules,
    pipeline,
    importFile: importing({ log, rules }),
    settled: () => settle(log),
    async close() {
      await pipeline?.stop();
      await log.close();
      await db.close();
    },
  };
}

/** Opens a place, with or without the consumers. Kafka by hand: its prefix is no part of the configuration. */
export async function openPlace(place: Place, consumers: boolean): Promise<OpenPlace> {
  if (place.kind === "kafka") return openKafkaPlace(place, consumers);
  const atlas = await openAtlas({ log: place, rules: RULES }, { consumers });
  return {
    log: atlas.log,
    db: atlas.db,
    rules: atlas.rules,
    pipeline: atlas.host?.pipeline,
    importFile: importing(atlas),
    settled: () => atlas.settled(),
    close: atlas.close,
  };
}
