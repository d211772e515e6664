import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { cached } from "./native/download.ts";
import { notRun } from "./not-run.ts";
import { ServiceUnavailable } from "./unavailable.ts";

const execute = promisify(execFile);

/** What the tests run under Python, each set in a virtual environment of its own. */
const PACKAGES = {
  // What reads training files: the release of `datasets` that Atlas Core names, and what else the tests need.
  readers: [
    "datasets==3.2.0",
    "pyarrow==19.0.1",
    "duckdb==1.2.2",
    // DuckDB needs it to give out times with a zone.
    "pytz==2025.2",
    "hydra-core==1.3.2",
    "openai==1.99.9",
    "confluent-kafka[avro,schemaregistry]==2.11.1",
  ],
  // The Python SDK that readers are held against.
  sdk: ["arc-atlas==0.1.16"],
} as const;

/**
 * The interpreter of a virtual environment, installed from PyPI once for all runs.
 *
 * @param tests what is not run without it, as the end of the run names it
 * @returns undefined where it cannot be had
 * @throws ServiceUnavailable in CI, where Python is there and the packages cannot be installed
 * @example
 * const python = await pythonFor("readers", "reading with Arrow");
 * test.skipIf(!python)("…", () => execFileSync(python!, ["-c", "import pyarrow"]));
 */
export async function pythonFor(name: keyof typeof PACKAGES, tests: string): Promise<string | undefined> {
  const packages = PACKAGES[name];
  try {
    await execute("python3", ["-c", "import venv, ensurepip"]);
  } catch {
    await notRun(`${tests}: python3 with venv is not installed`);
    return undefined;
  }
  const digest = createHash("sha256").update(packages.join()).digest("hex").slice(0, 8);
  try {
    const folder = await cached(`python-${name}-${digest}`, (partial) => install(partial, packages));
    return join(folder, "bin", "python");
  } catch (error) {
    if (!(error instanceof ServiceUnavailable) || (process.env.CI ?? "") !== "") throw error;
    await notRun(`${tests}: ${error.message}`);
    return undefined;
  }
}

async function install(folder: string, packages: readonly string[]): Promise<void> {
  try {
    await execute("python3", ["-m", "venv", folder]);
    await execute(join(folder, "bin", "python"), ["-m", "pip", "install", "-q", ...packages]);
  } catch (error) {
    throw new ServiceUnavailable(`${packages.join(", ")} could not be installed from PyPI`, { cause: error });
  }
}
