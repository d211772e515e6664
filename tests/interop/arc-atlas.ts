import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** The release of the Python SDK that readers are held against. */
export const ARC_ATLAS = "0.1.16";

/** Where its virtual environment is kept between runs. */
const HOME = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
  "atlas-sdk",
  `arc-atlas-${ARC_ATLAS}`,
);

/** Its interpreter, once {@link installArcAtlas} has run. */
export const PYTHON = join(HOME, "bin", "python");
const READY = join(HOME, ".installed");

/** Without it the package's model library looks for prices on the network first. */
export const PYTHON_ENVIRONMENT = {
  ...process.env,
  LITELLM_LOCAL_MODEL_COST_MAP: "True",
  PYTHONDONTWRITEBYTECODE: "1",
};

/**
 * Installs the Python SDK from PyPI, once for all runs.
 *
 * @returns why it cannot be had; undefined when it is there
 * @throws Error in CI, where Python is there and the package cannot be installed
 */
export function installArcAtlas(): string | undefined {
  if (existsSync(READY)) return undefined;
  if (spawnSync("python3", ["-c", "import venv, ensurepip"]).status !== 0)
    return "python3 with venv is not installed";
  const making = `${HOME}.${process.pid}`;
  mkdirSync(dirname(HOME), { recursive: true });
  try {
    rmSync(HOME, { recursive: true, force: true });
    execFileSync("python3", ["-m", "venv", HOME], { stdio: "pipe" });
    execFileSync(PYTHON, ["-m", "pip", "install", "-q", `arc-atlas==${ARC_ATLAS}`], { stdio: "pipe" });
    writeFileSync(making, "");
    renameSync(making, READY);
    return undefined;
  } catch (error) {
    if ((process.env.CI ?? "") !== "") throw error;
    return `arc-atlas ${ARC_ATLAS} could not be installed from PyPI`;
  }
}

/** Runs a script under the Python SDK and gives the JSON that it prints. */
export async function runPython<T>(script: string, args: readonly string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(PYTHON, [script, ...args], {
    env: PYTHON_ENVIRONMENT,
    maxBuffer: 512 * 1024 * 1024,
  });
  return JSON.parse(stdout) as T;
}
