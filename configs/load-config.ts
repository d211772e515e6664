import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { AtlasError } from "../errors/atlas-error.ts";
import { toCamelPath, toSnake } from "./camel-case.ts";
import { type ConfigProblem, nameOf, problemsOf } from "./config-problems.ts";
import { type AtlasConfig, type ConfigInput, configSchema } from "./config-schema.ts";
import { LOG_VARIABLES, logOfEnvironment } from "./environment-log.ts";
import { type Place, readYaml } from "./read-yaml.ts";

/** Blocks whose keys are names that a user chose. */
const FREE_BLOCKS = ["weights"];

/**
 * Loads a configuration: a YAML file, an object, or nothing. Where it says nothing about the log, the environment
 * decides (`ATLAS_KAFKA_BROKERS`, `ATLAS_SCHEMA_REGISTRY_URL`, `ATLAS_DATABASE_URL`, else
 * `STORAGE__DATABASE_URL`), and otherwise events are kept in `.atlas`.
 *
 * @param source path of a YAML file, or what it would hold with keys in camelCase
 * @throws AtlasError ATLAS_CONFIG_NOT_FOUND, or ATLAS_CONFIG_INVALID with every problem, each with line and column
 * @example
 * const { log } = loadConfig("atlas.yaml");
 * if (log.kind === "postgres") await openPostgres(log.databaseUrl);
 */
export function loadConfig(source?: string | ConfigInput, env: NodeJS.ProcessEnv = process.env): AtlasConfig {
  if (typeof source === "string") return loadFile(source, env);
  return check(snakeKeys(source ?? {}), env, process.cwd(), (problem) => ({
    name: toCamelPath(nameOf([...problem.path, ...(problem.key === undefined ? [] : [problem.key])])),
    words: toCamelPath(problem.words),
  }));
}

function loadFile(path: string, env: NodeJS.ProcessEnv): AtlasConfig {
  const file = expandHome(path);
  const yaml = readYaml(readText(file), env);
  const at = ({ line, column }: Place): string => `${path}:${line}:${column}`;
  if (yaml.problems.length > 0) {
    throw invalid(yaml.problems.map(({ place, words }) => ({ where: at(place), text: words })));
  }
  return check(yaml.value, env, dirname(resolve(file)), ({ path: keys, key, words }) => ({
    name: nameOf(key === undefined ? keys : [...keys, key]),
    words,
    where: at(yaml.placeOf(keys, key)),
  }));
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
): AtlasConfig {
  const isBlock = typeof value === "object" && value !== null && !Array.isArray(value);
  const environment = isBlock && !("log" in value) ? logOfEnvironment(env) : undefined;
  const given = environment === undefined ? value : { ...(value as object), log: environment };
  const checked = configSchema.safeParse(given);
  if (checked.success) return withPaths(checked.data, folder);
  throw invalid(
    problemsOf(checked.error.issues, given).map((problem) => {
      if (environment !== undefined && problem.path[0] === "log") {
        return { where: "environment", text: `${LOG_VARIABLES[String(problem.path[1])]} ${problem.words}` };
      }
      const { name, words, where } = describe(problem);
      return { where, text: `${name || "the configuration"} ${words}` };
    }),
  );
}

function invalid(problems: { where?: string | undefined; text: string }[]): AtlasError {
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
  const { log, agent } = config;
  if (log.kind === "embedded") log.path = expandHome(log.path);
  if (agent?.type === "function") {
    const path = expandHome(agent.importPath);
    agent.importPath = /^[./]/.test(path) || path !== agent.importPath ? resolve(folder, path) : path;
  }
  return config;
}

function snakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(
    entries.map(([key, inner]) => [toSnake(key), FREE_BLOCKS.includes(key) ? inner : snakeKeys(inner)]),
  );
}
