import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PYTHON_ENVIRONMENT } from "../../tests/interop/arc-atlas.ts";

/** One call. */
export interface PeerCall {
  seconds: number;
  sessions: number;
  /** Of reading. */
  events: number;
  /** Of an export. */
  bytes: number;
}

/** The Python SDK's client in a process of its own; importing it, which takes seconds, is not measured. */
export interface PythonClient {
  /** `get_training_sessions`. */
  read(url: string, limit: number): Promise<PeerCall>;
  /** Its exporter, with all events; the file is left to the caller. */
  export(url: string, limit: number, file: string): Promise<PeerCall>;
  close(): Promise<void>;
}

/**
 * Starts the client.
 *
 * @param python the interpreter that has it
 */
export function startPythonClient(python: string): PythonClient {
  const child: ChildProcess = spawn(python, [join(import.meta.dirname, "measure_client.py")], {
    env: PYTHON_ENVIRONMENT,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const call = async (...words: readonly (string | number)[]): Promise<PeerCall> => {
    child.stdin!.write(`${words.join(" ")}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error("the Python client ended");
    return JSON.parse(value) as PeerCall;
  };
  return {
    read: (url, limit) => call("read", url, limit),
    export: (url, limit, file) => call("export", url, limit, file),
    close: async () => {
      child.stdin!.end();
      await ended;
    },
  };
}
