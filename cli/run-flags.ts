import { resolve } from "node:path";
import type { RunOptions } from "../app/run-options.ts";
import type { AtlasConfig } from "../configs/config-schema.ts";
import { AtlasError, messageOf } from "../errors/atlas-error.ts";
import type { ModelClient } from "../models/model-client.ts";
import type { LaneOptions } from "../producers/lanes/lane.ts";
import { checkLearningKey } from "../schemas/learning-key.ts";
import { count } from "./count.ts";
import { readDotEnv } from "./dot-env.ts";
import { tell } from "./output.ts";
import type { CommonOptions } from "./program.ts";

/** The options of `atlas run`, as they are typed. */
export interface RunFlags extends CommonOptions {
  task: string;
  path?: string;
  learningKey?: string;
  groundTruth?: string;
  tag: string[];
  project?: string;
  tenant?: string;
  metadata?: string;
  lane?: string;
  executionMode?: string;
  concurrency?: string;
  maxRetries?: string;
  deadline?: string;
  stepTimeout?: string;
  rollouts: string;
  groupId?: string;
}

const LANES = ["auto", "paired", "coach"] as const;
const MODES = ["single_shot", "stepwise"] as const;
const MOST_ROLLOUTS = 1000;
/** Timers take no more than 31 bits of milliseconds. */
const MOST_SECONDS = 2_147_483;

const usage = (flag: string, message: string, hint?: string): AtlasError =>
  new AtlasError("ATLAS_USAGE", message, { where: flag, ...(hint !== undefined && { hint }) });

function oneOf<T extends string>(flag: string, value: string, names: readonly T[]): T {
  const found = names.find((name) => name === value);
  if (found === undefined) throw usage(flag, `it must be one of ${names.join(", ")}`);
  return found;
}

function numberOf(flag: string, value: string, least: number, most: number): number {
  const number = count(value, flag, least);
  if (number > most) throw usage(flag, `it must be at most ${most}`);
  return number;
}

function millisecondsOf(flag: string, value: string): number {
  const seconds = value.trim() === "" ? Number.NaN : Number(value);
  if (!(seconds > 0 && seconds <= MOST_SECONDS))
    throw usage(flag, `it must be a number of seconds above 0, and at most ${MOST_SECONDS}`);
  return Math.ceil(seconds * 1000);
}

function textOf(flag: string, value: string): string {
  if (value.trim() === "") throw usage(flag, "it must not be empty");
  return value;
}

function keyOf(flag: string, value: string): string {
  checkLearningKey(value, flag);
  return value;
}

function objectOf(flag: string, value: string): Record<string, unknown> {
  let found: unknown;
  try {
    found = JSON.parse(value);
  } catch {
    // What is no JSON is no JSON object either.
  }
  if (typeof found === "object" && found !== null && !Array.isArray(found))
    return found as Record<string, unknown>;
  throw usage(flag, "it must be a JSON object", `Quote it whole, such as '{"service": "billing"}'.`);
}

const READ: { [K in keyof RunFlags]?: (value: string) => Partial<RunOptions> } = {
  learningKey: (value) => ({ learningKey: keyOf("--learning-key", value) }),
  groundTruth: (value) => ({ groundTruth: value }),
  project: (value) => ({ project: textOf("--project", value) }),
  tenant: (value) => ({ tenant: textOf("--tenant", value) }),
  metadata: (value) => ({ metadata: objectOf("--metadata", value) }),
  executionMode: (value) => ({ executionMode: oneOf("--execution-mode", value, MODES) }),
  concurrency: (value) => ({ concurrency: numberOf("--concurrency", value, 1, 1000) }),
  maxRetries: (value) => ({ maxRetries: numberOf("--max-retries", value, 0, 10) }),
  deadline: (value) => ({ deadlineMs: millisecondsOf("--deadline", value) }),
  stepTimeout: (value) => ({ stepTimeoutMs: millisecondsOf("--step-timeout", value) }),
  groupId: (value) => ({ groupId: textOf("--group-id", value) }),
  lane: (value) => {
    const lane = oneOf("--lane", value, [...LANES, "probe"]);
    if (lane !== "probe") return { lane: { forced: lane } };
    return { lane: { forced: undefined, override: undefined, adaptive: true } };
  },
};

/**
 * What the flags say of each run; what they leave open is missing.
 *
 * @throws AtlasError ATLAS_USAGE that names the flag
 */
export function runOptionsOf(flags: RunFlags): RunOptions {
  const read = Object.entries(READ).map(([name, of]) => {
    const value = flags[name as keyof RunFlags];
    return typeof value === "string" ? of(value) : {};
  });
  return Object.assign({ task: textOf("--task", flags.task), tags: flags.tag }, ...read) as RunOptions;
}

/** How many rollouts the flags ask for. */
export const rolloutsOf = ({ rollouts }: RunFlags): number =>
  numberOf("--rollouts", rollouts, 1, MOST_ROLLOUTS);

/**
 * The probe that `--lane probe` asks for: the configured one, else what the environment offers where nothing is
 * configured.
 *
 * @throws AtlasError ATLAS_USAGE where there is none
 */
export function probeOf(
  { lane: flag }: RunFlags,
  { lane }: AtlasConfig,
  offered: ModelClient | undefined,
): LaneOptions {
  if (flag !== "probe" || lane?.probe !== undefined) return {};
  if (offered !== undefined) return { probe: offered };
  throw usage("--lane", "no probe is configured", "Name its model under lane.probe.");
}

/**
 * Goes to the project's folder, and reads its `.env`. A configuration is still looked for from where one was.
 *
 * @returns the flags, with the configuration's whole path
 * @throws AtlasError ATLAS_USAGE where there is no such folder
 */
export function enterProject<T extends RunFlags>(flags: T): T {
  const { path = ".", config } = flags;
  if (path === ".") return flags;
  const whole = config === undefined || config.startsWith("~") ? config : resolve(config);
  try {
    process.chdir(path);
  } catch (error) {
    throw usage("--path", `it is no folder that one can go to: ${messageOf(error)}`);
  }
  for (const warning of readDotEnv()) tell(`warning: ${warning}`);
  return whole === undefined ? flags : { ...flags, config: whole };
}
