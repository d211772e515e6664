import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { hostOf, noteOfProject } from "../configs/project-environment.ts";
import { AtlasError, messageOf } from "../errors/atlas-error.ts";

const FILE = ".env";

/** What a folder must not decide: how this process connects, what it runs, and who may ask it. */
const NEVER =
  /^(NODE_.*|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)|OPENSSL_.*|(LD|DYLD)_.*|PYTHON.*|VIRTUAL_ENV|PG[A-Z]+|ATLAS_CORE_PATH|ATLAS_WORKER_(HOST|TOKEN))$/i;

const OTLP_KEYS = [
  "OTEL_EXPORTER_OTLP_HEADERS",
  "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
  "OTEL_EXPORTER_OTLP_CLIENT_KEY",
  "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
];

/** Variables that hold an address, with those whose keys go there. */
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  OPENAI_BASE_URL: ["OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_CUSTOM_HEADERS"],
  ANTHROPIC_BASE_URL: ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS"],
  OTEL_EXPORTER_OTLP_ENDPOINT: OTLP_KEYS,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: OTLP_KEYS,
  ATLAS_DATABASE_URL: ["PGPASSWORD", "PGPASSFILE"],
  STORAGE__DATABASE_URL: ["PGPASSWORD", "PGPASSFILE"],
  ATLAS_KAFKA_BROKERS: [],
  ATLAS_SCHEMA_REGISTRY_URL: [],
};

/** What goes to an address of the log or of spans is what sessions hold, so where it goes is told. */
const HOLDS_SESSIONS = /^(OTEL_|ATLAS_DATABASE_URL|STORAGE__|ATLAS_KAFKA)/;
const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/;

function read(path: string): Record<string, string | undefined> {
  try {
    // A folder of that name is somebody's Python environment.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return {};
    return parseEnv(readFileSync(path, "utf8"));
  } catch (error) {
    throw new AtlasError("ATLAS_FILE_UNREADABLE", `it cannot be read: ${messageOf(error)}`, {
      where: FILE,
      hint: "Make it readable, or move it away.",
      cause: error,
    });
  }
}

/**
 * Reads `.env` of a folder, the working directory unless told, into the environment; what is set already stays. The folder may be somebody else's,
 * so an address in it never goes with a key from outside, and some variables are not taken from it at all.
 *
 * @returns a line for each thing that the user should know
 * @throws AtlasError ATLAS_FILE_UNREADABLE
 */
export function readDotEnv(folder = ".", env: NodeJS.ProcessEnv = process.env): string[] {
  const path = resolve(folder, FILE);
  const found = Object.entries(read(path)).filter(([name]) => env[name] === undefined);
  const refused = found.map(([name]) => name).filter((name) => NEVER.test(name));
  const warnings =
    refused.length === 0
      ? []
      : [`${FILE} does not set ${refused.join(", ")}: set it outside of the folder where you mean it`];
  const given = new Set(Object.keys(env).filter((name) => env[name] !== ""));
  for (const [name, value = ""] of found) {
    if (refused.includes(name)) continue;
    const key = ADDRESSES[name]?.find((each) => given.has(each));
    if (key !== undefined && value !== "") {
      warnings.push(
        `${name} of ${FILE} (${hostOf(value)}) is ignored, because ${key} is set outside of it: set both in one place`,
      );
      continue;
    }
    if (HOLDS_SESSIONS.test(name) && name in ADDRESSES && value !== "" && !LOCAL.test(hostOf(value)))
      warnings.push(`sessions go to ${hostOf(value)}, because ${name} of ${FILE} says so`);
    env[name] = value;
    noteOfProject(name, path);
  }
  return warnings;
}
