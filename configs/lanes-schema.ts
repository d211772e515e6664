import { z } from "zod";
import { llmSchema } from "./model-schema.ts";
import { block, moduleExport } from "./schema-parts.ts";

const lane = z.enum(["auto", "paired", "coach"]);
const mode = z.enum(["single_shot", "stepwise"]);
const share = z.number().min(0).max(1);
/** Timers take no more than 31 bits of milliseconds. */
const seconds = z.number().positive().max(2_147_483);

/** Most earlier sessions that a probe is shown. */
export const historyLimitSchema = z.int().min(1).max(200);

const thresholds = block({
  auto: share.default(0.85),
  paired: share.default(0.65),
}).refine(({ auto, paired }) => auto >= paired, { path: ["auto"], error: "must not be below paired" });

/** How each session's lane is chosen. */
export const laneSchema = block({
  forced: lane.optional().describe("This lane, whatever else is said."),
  adaptive: z.boolean().default(true).describe("False: always paired, unless forced."),
  override: lane.optional().describe("This lane, where lanes are chosen at all."),
  fallback: lane.default("paired").describe("The lane where no probe, or an unusable answer, says another."),
  thresholds: thresholds
    .prefault({})
    .describe("Lowest confidence for a lane, where the probe names none; what is below paired is coach."),
  history_limit: historyLimitSchema
    .default(10)
    .describe("Most earlier sessions of the learning key that the probe is shown."),
  probe: llmSchema.optional().describe("The model that is asked how well the student can do the task."),
});

/** Who describes a task before anybody works on it. */
export const triageSchema = block(moduleExport("the triage adapter"));

const executionMode = z.union(
  [mode, block({ auto: mode.optional(), paired: mode.optional(), coach: mode.optional() })],
  { error: "must be single_shot or stepwise, or one of them for each of auto, paired and coach" },
);

/** How the work on a task goes. */
export const orchestrationSchema = block({
  max_retries: z.int().min(0).max(10).default(1).describe("Further attempts after a rejected one."),
  execution_mode: executionMode
    .optional()
    .describe("One step, or a plan's steps; stepwise in the lane coach and single_shot in the others."),
  concurrency: z.int().min(1).max(1000).default(4).describe("Most steps of a plan at a time."),
  model_timeout_seconds: seconds.default(300).describe("For one model call with all its tries."),
  step_timeout_seconds: seconds
    .optional()
    .describe("For all attempts at a step; as long as the session unless told."),
  deadline_seconds: seconds.default(900).describe("Until a session fails for want of time."),
  verdict_cache: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe(
      "Verdicts, and as many plan reviews, kept in this process, so that the teacher is not asked the same twice.",
    ),
});
