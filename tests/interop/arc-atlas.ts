import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Without it the package's model library looks for prices on the network first. */
export const PYTHON_ENVIRONMENT = {
  ...process.env,
  LITELLM_LOCAL_MODEL_COST_MAP: "True",
  PYTHONDONTWRITEBYTECODE: "1",
};

/** Runs a script under the Python SDK's interpreter and gives the JSON that it prints. */
export async function runPython<T>(python: string, script: string, args: readonly string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(python, [script, ...args], {
    env: PYTHON_ENVIRONMENT,
    maxBuffer: 512 * 1024 * 1024,
  });
  return JSON.parse(stdout) as T;
}
