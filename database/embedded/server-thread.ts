import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { pgliteModule } from "./wasm-module.ts";
import type { WorkerInput, WorkerMessage } from "./worker.ts";

/** The thread in which PGlite runs and is served from. */
export interface ServerThread {
  /** Settles when the thread has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** What it could not go on after, where there is such a thing. */
  failure(): Error | undefined;
  /** Closes the database cleanly and ends the thread. */
  stop(): Promise<void>;
}

/** How long PGlite may take to start, or to stop, before its thread is given up. */
const START_MS = 60_000;
const STOP_MS = 10_000;

/**
 * Starts PGlite in a thread of its own. Once it serves, it does not keep the process alive.
 *
 * @throws what the start failed with: its message, and its code if a file was the reason
 */
export async function startServer(place: Omit<WorkerInput, "module">): Promise<ServerThread> {
  const input: WorkerInput = { ...place, module: await pgliteModule() };
  const worker = new Worker(new URL(`./worker${extname(import.meta.url)}`, import.meta.url), {
    workerData: input,
    // Flags like --input-type or --inspect-brk are the caller's own.
    execArgv: [],
  });
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  let failure: Error | undefined;
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`PGlite did not start within ${START_MS / 1000} s`)),
      START_MS,
    );
    worker.on("error", reject);
    worker.on("message", (message: WorkerMessage) => {
      if (message.kind === "ready") return resolve();
      failure = Object.assign(new Error(message.message), { code: message.code });
      reject(failure);
    });
    void ended.then(() => {
      clearTimeout(late);
      reject(new Error("PGlite's thread ended while it started"));
    });
    worker.once("message", () => clearTimeout(late));
  }).catch(async (error: unknown) => {
    await worker.terminate();
    throw error;
  });
  worker.unref();
  return {
    ended,
    failure: () => failure,
    async stop() {
      worker.ref();
      worker.postMessage("stop");
      const late = setTimeout(() => void worker.terminate(), STOP_MS);
      await ended;
      clearTimeout(late);
    },
  };
}
