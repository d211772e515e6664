import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** What reads training files: the release of `datasets` that Atlas Core names, and what else the tests need. */
const PACKAGES = [
  "datasets==3.2.0",
  "pyarrow==19.0.1",
  "duckdb==1.2.2",
  // DuckDB needs it to give out times with a zone.
  "pytz==2025.2",
  "hydra-core==1.3.2",
  "openai==1.99.9",
];

const HOME = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "atlas-sdk", "format-readers-2");

/** Their interpreter, once {@link installReaders} has run. */
export const READERS_PYTHON = join(HOME, "bin", "python");
const READY = join(HOME, ".installed");

/**
 * Installs them from PyPI, once for all runs.
 *
 * @returns why they cannot be had; undefined when they are there
 * @throws Error in CI, where Python is there and they cannot be installed
 */
export function installReaders(): string | undefined {
  if (existsSync(READY)) return undefined;
  if (spawnSync("python3", ["-c", "import venv, ensurepip"]).status !== 0)
    return "python3 with venv is not installed";
  mkdirSync(dirname(HOME), { recursive: true });
  try {
    rmSync(HOME, { recursive: true, force: true });
    execFileSync("python3", ["-m", "venv", HOME], { stdio: "pipe" });
    execFileSync(READERS_PYTHON, ["-m", "pip", "install", "-q", ...PACKAGES], { stdio: "pipe" });
    writeFileSync(READY, "");
    return undefined;
  } catch (error) {
    if ((process.env.CI ?? "") !== "") throw error;
    return `${PACKAGES.join(", ")} could not be installed from PyPI`;
  }
}

/** Runs a script that prints JSON. */
export async function readWithPython<T>(script: string, args: readonly string[]): Promise<T> {
  const env = { ...process.env, HF_HUB_OFFLINE: "1", HF_DATASETS_OFFLINE: "1", PYTHONDONTWRITEBYTECODE: "1" };
  const { stdout } = await promisify(execFile)(READERS_PYTHON, [script, ...args], {
    env,
    maxBuffer: 512 * 1024 * 1024,
  });
  return JSON.parse(stdout) as T;
}
