import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { z } from "zod";
import { AtlasError } from "../errors/atlas-error.ts";
import { toCamelPath, toSnake } from "./camel-case.ts";
import { type ConfigProblem, nameOf, problemsOf } from "./config-problems.ts";
import { type AtlasConfig, type ConfigInput, configSchema } from "./config-schema.ts";
import { HISTORY_VARIABLE, historyLimitOfEnvironment } from "./environment-lane.ts";
import { LOG_VARIABLES, logOfEnvironment } from "./environment-log.ts";
import { DRIFT_VARIABLES, driftOfEnvironment, environmentWarnings } from "./environment-rules.ts";
import { historyLimitSchema } from "./lanes-schema.ts";
import { fromPython, isPythonConfig } from "./python-config.ts";
import { type Place, readYaml } from "./read-yaml.ts";
import { driftSchema } from "./rules-schema.ts";

/** Takes what a configuration says in vain. */
export type OnWarning = (warning: string) => void;

const emitWarning: OnWarning = (warning) => process.emitWarning(warning, "AtlasWarning");

/** Blocks whose keys are names that a user chose. */
const FREE_BLOCKS = ["weights", "extra", "headers", "template", "options", "settings", "metadata"];

/** Blocks whose own keys are names that a user chose, and the keys below them are not. */
const NAMED_BLOCKS = ["prices"];

/**
 * Loads a configuration: a YAML file, an object, or nothing. Where it says nothing about the log, the environment
 * decides (`ATLAS_KAFKA_BROKERS`, `ATLAS_SCHEMA_REGISTRY_URL`, `ATLAS_DATABASE_URL`, else
 * `STORAGE__DATABASE_URL`), and otherwise events are kept in `.atlas`. `ATLAS_DRIFT_WINDOW`, `_Z_THRESHOLD` and
 * `_MIN_BASELINE` go before what it says about drift, `ATLAS_LEARNING_HISTORY_LIMIT` before `lane.history_limit`. A file for the Python SDK is understood too.
 *
 * @param source path of a YAML file, or what it would hold with keys in camelCase
 * @param onWarning told what has no effect, a sentence each; a warning of the process unless given
 * @throws AtlasError ATLAS_CONFIG_NOT_FOUND, or ATLAS_CONFIG_INVALID with every problem, each with line and column
 * @example
 * const { log } = loadConfig("atlas.yaml");
 * if (log.kind === "postgres") await openPostgres(log.databaseUrl);
 */
export function loadConfig(
  source?: string | ConfigInput,
  env: NodeJS.ProcessEnv = process.env,
  onWarning: OnWarning = emitWarning,
): AtlasConfig {
  const examined = examineConfig(source, env, onWarning);
  if (Array.isArray(examined)) throw invalid(examined);
  return examined;
}

/** One thing that is wrong, and where: `atlas.yaml:3:5`. */
export interface ConfigFault {
  where?: string | undefined;
  text: string;
}

/**
 * {@link loadConfig} for who wants to see all that is wrong.
 *
 * @throws AtlasError ATLAS_CONFIG_NOT_FOUND, or ATLAS_CONFIG_INVALID where variables do not go together
 */
export function examineConfig(
  source?: string | ConfigInput,
  env: NodeJS.ProcessEnv = process.env,
  onWarning: OnWarning = emitWarning,
): AtlasConfig | ConfigFault[] {
  for (const warning of environmentWarnings(env)) onWarning(warning);
  const config =
    typeof source === "string" ? examineFile(source, env, onWarning) : examineObject(source, env);
  if (!Array.isArray(config) && config.lane === undefined && historyLimitOfEnvironment(env) !== undefined)
    onWarning(`${HISTORY_VARIABLE} has no effect: no lane is configured`);
  return config;
}

function examineObject(source: ConfigInput | undefined, env: NodeJS.ProcessEnv): AtlasConfig | ConfigFault[] {
  return check(snakeKeys(source ?? {}), env, process.cwd(), (problem) => ({
    name: toCamelPath(nameOf([...problem.path, ...(problem.key === undefined ? [] : [problem.key])])),
    // Advice on a key names keys; other words may name values, which are the same everywhere.
    words: problem.key === undefined ? problem.words : toCamelPath(problem.words),
  }));
}

function examineFile(
  path: string,
  env: NodeJS.ProcessEnv,
  onWarning: OnWarning,
): AtlasConfig | ConfigFault[] {
  const file = expandHome(path);
  const yaml = readYaml(readText(file), env);
  const at = ({ line, column }: Place): string => `${path}:${line}:${column}`;
  if (yaml.problems.length > 0) {
    return yaml.problems.map(({ place, words }) => ({ where: at(place), text: words }));
  }
  const draft = isBlock(yaml.value) && isPythonConfig(yaml.value) ? fromPython(yaml.value) : undefined;
  const placeOf = (keys: readonly PropertyKey[]): string =>
    at(yaml.placeOf(keys.slice(0, -1), keys.length === 0 ? undefined : String(keys.at(-1))));
  const config = check(draft?.value ?? yaml.value, env, dirname(resolve(file)), ({ path, key, words }) => {
    const whole = key === undefined ? path : [...path, key];
    const written = draft?.origin(whole) ?? whole;
    const where = key === undefined ? at(yaml.placeOf(written)) : at(yaml.placeOf(written.slice(0, -1), key));
    return { name: nameOf(written), words, where };
  });
  for (const { path: keys, words } of draft?.warnings ?? [])
    onWarning(`${nameOf(keys)} ${words} (${placeOf(keys)})`);
  return config;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    const { code } = error as { code?: string };
    const reason =
      code === "ENOENT"
        ? "the file does not exist"
        : code === "EISDIR"
          ? "it is a folder"
          : `it cannot be read (${code})`;
    throw new AtlasError("ATLAS_CONFIG_NOT_FOUND", reason, {
      where: file,
      hint: "Give the path of a YAML file, or none to use the environment and .atlas.",
    });
  }
}

const isBlock = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

interface Described {
  name: string;
  words: string;
  where?: string;
}

function check(
  value: unknown,
  env: NodeJS.ProcessEnv,
  folder: string,
  describe: (problem: ConfigProblem) => Described,
): AtlasConfig | ConfigFault[] {
  const environment = isBlock(value) && !("log" in value) ? logOfEnvironment(env) : undefined;
  const given = environment === undefined ? value : { ...(value as object), log: environment };
  const checked = configSchema.safeParse(given);
  if (checked.success) return withEnvironment(withPaths(checked.data, folder), env);
  return problemsOf(checked.error.issues, given).map((problem) => {
    if (environment !== undefined && problem.path[0] === "log") {
      return { where: "environment", text: `${LOG_VARIABLES[String(problem.path[1])]} ${problem.words}` };
    }
    const { name, words, where } = describe(problem);
    return { where, text: `${name || "the configuration"} ${words}` };
  });
}

/** What the environment says about rules and lanes goes before the file. */
function withEnvironment(config: AtlasConfig, env: NodeJS.ProcessEnv): AtlasConfig | ConfigFault[] {
  const drift = { ...config.rules.drift, ...driftOfEnvironment(env) };
  const rules = driftSchema.safeParse(drift);
  const limit = historyLimitSchema.optional().safeParse(historyLimitOfEnvironment(env));
  const faultsOf = (
    { error }: { error?: z.ZodError | undefined },
    value: unknown,
    variable: (path: readonly PropertyKey[]) => string,
  ): ConfigFault[] =>
    problemsOf(error?.issues ?? [], value).map(({ path, words }) => ({
      where: "environment",
      text: `${variable(path)} ${words}`,
    }));
  if (!rules.success || !limit.success) {
    return [
      ...faultsOf(rules, drift, ([key]) => DRIFT_VARIABLES[String(key)]!),
      ...faultsOf(limit, historyLimitOfEnvironment(env), () => HISTORY_VARIABLE),
    ];
  }
  const { lane } = config;
  if (lane !== undefined && limit.data !== undefined) lane.historyLimit = limit.data;
  return { ...config, rules: { ...config.rules, drift: rules.data } };
}

function invalid(problems: readonly ConfigFault[]): AtlasError {
  const [first] = problems;
  const single = problems.length === 1;
  const list = problems.map(({ where, text }) => (where === undefined ? text : `${text} (${where})`));
  return new AtlasError(
    "ATLAS_CONFIG_INVALID",
    single ? first!.text : `${problems.length} problems: ${list.join("; ")}`,
    single && first!.where !== undefined ? { where: first!.where } : {},
  );
}

const expandHome = (path: string): string =>
  /^~(?=$|[/\\])/.test(path) ? join(homedir(), path.slice(1)) : path;

/** A module is looked for beside the file that names it; a bare name is a package. */
function withPaths(config: AtlasConfig, folder: string): AtlasConfig {
  const { log, agent, triage, plugins, judges, processors, projections } = config;
  if (log.kind === "embedded") log.path = expandHome(log.path);
  const found = (path: string): string => {
    const whole = expandHome(path);
    return /^[./]/.test(whole) || whole !== path ? resolve(folder, whole) : path;
  };
  if (agent?.type === "function" || agent?.type === "langgraph") agent.importPath = found(agent.importPath);
  if (triage !== undefined) triage.importPath = found(triage.importPath);
  for (const part of [...processors, ...projections]) part.importPath = found(part.importPath);
  for (const judge of judges?.list ?? [])
    if (judge.importPath !== undefined) judge.importPath = found(judge.importPath);
  if (plugins !== undefined) config.plugins = plugins.map(found);
  return config;
}

function snakeBlock(key: string, inner: unknown): unknown {
  if (FREE_BLOCKS.includes(key)) return inner;
  if (!NAMED_BLOCKS.includes(key) || typeof inner !== "object" || inner === null) return snakeKeys(inner);
  return Object.fromEntries(Object.entries(inner).map(([name, block]) => [name, snakeKeys(block)]));
}

function snakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [toSnake(key), snakeBlock(key, inner)]));
}
