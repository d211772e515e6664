import { z } from "zod";
import { block, databaseUrl, httpUrl, text, variable } from "./schema-parts.ts";

const BROKER = /^(\[[0-9a-fA-F:]+\]|[^\s:,/[\]@]+):\d{1,5}$/;
const broker = z.string().trim().regex(BROKER, { error: "must be host:port, such as localhost:9092" });
const brokers = z.union(
  [
    z.array(broker).min(1),
    z
      .string()
      .transform((list) => list.split(","))
      .pipe(z.array(broker)),
  ],
  { error: "must be host:port, or a list of them, such as localhost:9092" },
);

const partitions = z.int().min(1).max(1000).optional();

const embeddedLog = block({
  kind: z.literal("embedded"),
  path: text.default(".atlas").describe("Folder of the log, from the working directory."),
  durable: z
    .boolean()
    .optional()
    .describe("Whether what is confirmed survives a power cut; true unless told."),
  partitions,
});

const postgresLog = block({
  kind: z.literal("postgres"),
  database_url: databaseUrl,
  partitions,
});

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]):/;

const kafkaLog = block({
  kind: z.literal("kafka"),
  brokers,
  schema_registry_url: httpUrl,
  database_url: databaseUrl
    .optional()
    .describe("Postgres with checkpoints, state and read models; only reading the log does without."),
  namespace: text
    .regex(/^[A-Za-z0-9_-]{1,64}$/, { error: "must be letters, digits, - and _, at most 64 of them" })
    .optional()
    .describe("Put before the names of topics, groups and clients, so that several logs share a cluster."),
  partitions,
  replication_factor: z.int().min(1).max(32767).optional(),
  ssl: z.boolean().default(false),
  sasl: block({
    mechanism: z.enum(["plain", "scram-sha-256", "scram-sha-512"]),
    username: text,
    password_env: variable.describe("Environment variable with the password."),
  }).optional(),
}).refine(
  ({ ssl, sasl, brokers }) => ssl || sasl === undefined || brokers.every((host) => LOOPBACK.test(host)),
  {
    path: ["ssl"],
    error: "must be true where sasl is used, except on this machine: the password would travel in the clear",
  },
);

/** Where events are kept. */
export const logSchema = z.discriminatedUnion("kind", [embeddedLog, postgresLog, kafkaLog], {
  error: "must be embedded, postgres or kafka",
});
