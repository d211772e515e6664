import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PYTHON, PYTHON_ENVIRONMENT } from "../../tests/interop/arc-atlas.ts";

/** One call of `get_training_sessions`. */
export interface PeerCall {
  seconds: number;
  sessions: number;
  events: number;
}

/** The Python SDK's client in a process of its own; importing it, which takes seconds, is not measured. */
export interface PythonClient {
  call(url: string, limit: number): Promise<PeerCall>;
  close(): Promise<void>;
}

/** Starts the client. */
export function startPythonClient(): PythonClient {
  const child: ChildProcess = spawn(PYTHON, [join(import.meta.dirname, "measure_client.py")], {
    env: PYTHON_ENVIRONMENT,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    call: async (url, limit) => {
      child.stdin!.write(`${url} ${limit}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error("the Python client ended");
      return JSON.parse(value) as PeerCall;
    },
    close: async () => {
      child.stdin!.end();
      await ended;
    },
  };
}
