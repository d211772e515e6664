import { z } from "zod";
import { DEFAULT_RULES, type Rules } from "../schemas/rules.ts";
import { camelKeys, type DeepCamelKeys } from "./camel-case.ts";
import { captureSchema, JUDGE_NEEDS_CONTENT, judgeSees, spoolSchema } from "./capture-schema.ts";

const PROVIDERS = ["openai", "anthropic", "gemini", "simulated"] as const;

/** A block of the file: its keys are fixed, and get their camelCase names when it is read. */
const block = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape).transform(camelKeys);

const text = z.string().min(1, { error: "must not be empty" });
const url = (protocols: string[], example: string) =>
  text.refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    error: `must be a URL such as ${example}`,
  });
const databaseUrl = url(["postgresql:", "postgres:"], "postgresql://user@host:5432/database");
const httpUrl = url(["http:", "https:"], "https://host/path");
const variable = text.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
  error: "must be the name of an environment variable, not a key",
});

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
  database_url: databaseUrl.describe("Postgres with checkpoints, state and read models."),
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

const logSchema = z.discriminatedUnion("kind", [embeddedLog, postgresLog, kafkaLog], {
  error: "must be embedded, postgres or kafka",
});

const modelFields = {
  model: text,
  base_url: httpUrl.optional(),
  api_key_env: variable.optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  max_output_tokens: z.int().min(1).optional(),
  timeout_seconds: z.number().positive().max(86_400).optional().describe("Of one try."),
  retries: z.int().min(0).max(10).optional().describe("Further tries after 429, 5xx and network failures."),
  stream: z.boolean().optional().describe("Let the provider stream; the reply is whole all the same."),
  extra: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("Further fields of each request, sent as they are, such as seed or reasoning_effort."),
};

const llm = block({ provider: z.enum(PROVIDERS).default("openai"), ...modelFields });

const modelAgent = <T extends string>(type: T) =>
  block({
    type: z.literal(type),
    name: text.optional().describe("The model's name unless told."),
    system_prompt: z.string().optional(),
    ...modelFields,
  });

const functionAgent = block({
  type: z.literal("function"),
  name: text.optional(),
  import_path: text.describe("Module with the agent, from this file's folder."),
  attribute: text.default("default").describe("Name of the module's export."),
});

const langgraphAgent = block({
  type: z.literal("langgraph"),
  name: text.optional(),
  import_path: text.describe("Module with the compiled graph, from this file's folder."),
  attribute: text.default("default").describe("Name of the module's export."),
  system_prompt: z.string().optional(),
  options: z.record(z.string(), z.unknown()).optional().describe("Passed on with each run of the graph."),
});

const httpAgent = block({
  type: z.literal("http"),
  name: text.optional(),
  url: httpUrl,
  method: z.enum(["POST", "PUT", "PATCH"]).optional(),
  template: z.unknown().optional().describe("The request's JSON, with {{prompt}}, {{task}}, {{guidance}}."),
  result_path: text.optional().describe("Where the answer is, such as choices[0].message.content."),
  headers: z.record(z.string(), z.string()).optional(),
  api_key_env: variable.optional().describe("Environment variable with a key, sent as a bearer token."),
  system_prompt: z.string().optional().describe("Recorded; the endpoint knows its own."),
  timeout_seconds: modelFields.timeout_seconds,
  retries: modelFields.retries,
});

const agentSchema = z.discriminatedUnion(
  "type",
  [
    modelAgent("openai"),
    modelAgent("anthropic"),
    modelAgent("gemini"),
    httpAgent,
    functionAgent,
    langgraphAgent,
  ],
  { error: "must be openai, anthropic, gemini, http, function or langgraph" },
);

const rubric = z.strictObject({ weights: z.record(z.string(), z.number().min(0)).default({}) });
/** When a session counts as drift. */
export const driftSchema = z.strictObject({
  window: z.int().min(1).default(DEFAULT_RULES.drift.window),
  threshold: z.number().positive().default(DEFAULT_RULES.drift.threshold),
  min_baseline: z.int().min(0).default(DEFAULT_RULES.drift.min_baseline),
});
const rulesSchema = z
  .strictObject({ rubric: rubric.prefault({}), drift: driftSchema.prefault({}) })
  .transform(
    (rules): Rules => ({
      rubric: { aggregation: DEFAULT_RULES.rubric.aggregation, weights: rules.rubric.weights },
      drift: rules.drift,
    }),
  );

/** The configuration file. Unknown keys are refused everywhere. */
export const configSchema = block({
  log: logSchema.prefault({ kind: "embedded" }),
  agent: agentSchema.optional(),
  teacher: llm.optional(),
  judge: llm.optional(),
  rules: rulesSchema.prefault({}),
  orchestration: block({ max_retries: z.int().min(0).max(10).default(1) }).prefault({}),
  learning_key: text.max(512, { error: "must be at most 512 characters long" }).optional(),
  capture: captureSchema.prefault({}),
  spool: spoolSchema.prefault({}),
}).refine(judgeSees, JUDGE_NEEDS_CONTENT);

/** A configuration, checked, with its defaults filled in. */
export type AtlasConfig = z.output<typeof configSchema>;
/** Where events are kept. */
export type LogConfig = AtlasConfig["log"];
/** A language model. */
export type LlmConfig = NonNullable<AtlasConfig["teacher"]>;
/** A configuration as it is written in code: the file's keys in camelCase. */
export type ConfigInput = DeepCamelKeys<z.input<typeof configSchema>>;

/** JSON Schema of the configuration file, for editors. */
export const configJsonSchema = (): object => z.toJSONSchema(configSchema, { io: "input" });
