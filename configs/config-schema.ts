import { z } from "zod";
import { learningKeyProblem } from "../schemas/learning-key.ts";
import { agentSchema, hasKind, KIND_NEEDS_PLUGIN, pluginsSchema } from "./agent-schema.ts";
import { alertsSchema } from "./alerts-schema.ts";
import type { DeepCamelKeys } from "./camel-case.ts";
import { captureSchema, JUDGE_NEEDS_CONTENT, judgeSees, spoolSchema } from "./capture-schema.ts";
import { exportSchema } from "./export-schema.ts";
import { judgesSchema, withJudgeWeights } from "./judges-schema.ts";
import { laneSchema, orchestrationSchema, triageSchema } from "./lanes-schema.ts";
import { liveDatasetSchema } from "./live-dataset-schema.ts";
import { logSchema } from "./log-schema.ts";
import { llmSchema } from "./model-schema.ts";
import { pricesSchema } from "./prices-schema.ts";
import { rulesSchema } from "./rules-schema.ts";
import { block, moduleExport, text } from "./schema-parts.ts";
import { scoreSchema } from "./score-schema.ts";

/** The configuration file. Unknown keys are refused everywhere. */
export const configSchema = block({
  log: logSchema.prefault({ kind: "embedded" }),
  agent: agentSchema.optional(),
  teacher: llmSchema.optional(),
  judge: llmSchema.optional().describe("The model that is asked once, where no judges are named."),
  judges: judgesSchema.optional().describe("Who scores sessions."),
  rules: rulesSchema.prefault({}),
  orchestration: orchestrationSchema.prefault({}),
  learning_key: z
    .string()
    .min(1, { error: "must not be empty", abort: true })
    .refine((key) => learningKeyProblem(key) === undefined, {
      error: ({ input }) => learningKeyProblem(input),
    })
    .optional(),
  lane: laneSchema.optional(),
  triage: triageSchema.optional(),
  plugins: pluginsSchema.optional(),
  project: text.optional().describe("Project of each session."),
  tenant: text.optional().describe("Tenant of each session."),
  tags: z.array(text).optional().describe("Labels of each session, beside those of a run."),
  metadata: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("Kept with each session; a run's own go before them."),
  prices: pricesSchema.optional(),
  capture: captureSchema.prefault({}),
  spool: spoolSchema.prefault({}),
  live_dataset: liveDatasetSchema.optional().describe("Approved sessions, written as they are approved."),
  export: exportSchema.prefault({}),
  score: scoreSchema.prefault({}).describe("What POST /score of a worker takes."),
  processors: z
    .array(block(moduleExport("the processor")))
    .default([])
    .describe("Processors of your own, beside those of Atlas."),
  promotion: z
    .enum(["automatic", "manual"], { error: "must be automatic or manual" })
    .optional()
    .describe(
      "When a new version of a processor answers: automatic as soon as it has caught up, manual by `atlas processors promote`; automatic on the embedded log unless told, manual elsewhere.",
    ),
  projections: z
    .array(block(moduleExport("the projection")))
    .default([])
    .describe("Read models of your own."),
  alerts: alertsSchema.default([]).describe("Who is told about drift and rewards."),
})
  .refine(judgeSees, JUDGE_NEEDS_CONTENT)
  .refine(hasKind, KIND_NEEDS_PLUGIN)
  .transform((config) => ({ ...config, rules: withJudgeWeights(config.rules, config.judges?.list ?? []) }));

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
