import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { readTemplate } from "./template.ts";
import { serve } from "./wire-server.ts";

/** What the thread is started with. */
export interface WorkerInput {
  folder: string;
  socket: string;
}

/** What the thread says. */
export type WorkerMessage =
  | { kind: "ready" }
  | { kind: "closed" }
  | { kind: "failed"; message: string; code: string | undefined };

const { folder, socket } = workerData as WorkerInput;
const data = join(folder, "pgdata");

/** Initialises beside the final place and renames, so that a folder which is there is whole. */
async function initialise(): Promise<void> {
  const fresh = `${data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const template = readTemplate();
  const db = await PGlite.create({ dataDir: fresh, ...(template && { loadDataDir: template }) });
  await db.close();
  renameSync(fresh, data);
}

async function start(): Promise<void> {
  if (!existsSync(data)) await initialise();
  const db = await PGlite.create({ dataDir: data });
  rmSync(socket, { force: true });
  const server = await serve(db, socket);
  parentPort?.once("message", async () => {
    await server.close();
    await db.close();
    parentPort?.postMessage({ kind: "closed" } satisfies WorkerMessage);
  });
  parentPort?.postMessage({ kind: "ready" } satisfies WorkerMessage);
}

start().catch((error: NodeJS.ErrnoException) => {
  const message = String(error.message ?? error);
  parentPort?.postMessage({ kind: "failed", message, code: error.code } satisfies WorkerMessage);
});
