import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import pg from "pg";
import type { RoundPlace } from "./kill-rounds.ts";
import type { Role } from "./orders.ts";

/** Alone on a folder, and working through another process that holds it. */
export const EMBEDDED_CASTS: readonly (readonly Role[])[] = [
  ["both"],
  ["worker", "importer"],
  ["both", "worker"],
];
/** Two workers share the consumers while a third process imports. */
export const SERVER_CASTS: readonly (readonly Role[])[] = [["worker", "worker", "importer"]];

export async function embeddedPlace(): Promise<RoundPlace> {
  const path = mkdtempSync(join(tmpdir(), "atlas-soak-"));
  return {
    place: { kind: "embedded", path },
    remove: async () => rmSync(path, { recursive: true, force: true }),
  };
}

/** @param database makes an empty database */
export const postgresPlace = (database: () => Promise<string>) => async (): Promise<RoundPlace> => ({
  place: { kind: "postgres", databaseUrl: await database() },
  remove: async () => undefined,
});

/** Topics under a prefix of their own on these services, deleted afterwards. */
export const kafkaPlace =
  (services: { brokers: string[]; schemaRegistryUrl: string }, database: () => Promise<string>) =>
  async (): Promise<RoundPlace> => {
    const topicPrefix = `soak${randomUUID().slice(0, 8)}.`;
    return {
      place: { kind: "kafka", ...services, databaseUrl: await database(), topicPrefix },
      async remove() {
        const admin = new Kafka({ brokers: services.brokers, logLevel: logLevel.NOTHING }).admin();
        await admin.connect();
        try {
          const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(topicPrefix));
          if (topics.length > 0) await admin.deleteTopics({ topics });
        } finally {
          await admin.disconnect();
        }
      },
    };
  };

/** Makes empty databases on the server of this one. */
export const databasesBeside = (url: string) => async (): Promise<string> => {
  const name = `soak_${randomUUID().replaceAll("-", "")}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
};
