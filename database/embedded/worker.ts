import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import type { Migrations } from "../migrate.ts";
import { prepareData } from "./data-folder.ts";
import { notDurable } from "./folder-errors.ts";
import { maintenanceOf } from "./maintenance.ts";
import { sessionOf } from "./session.ts";
import { makeSocketFolder } from "./socket-folder.ts";
import { SyncedFolder } from "./synced-folder.ts";
import type { WasmModule } from "./wasm-module.ts";
import { serve } from "./wire-server.ts";

/** What the thread is started with. */
export interface WorkerInput {
  /** The folder whose lock its process holds. */
  folder: string;
  /** Path of the socket to serve on. */
  socket: string;
  /** Whether a commit is on the disk before it is confirmed. */
  durable: boolean;
  /** The tables that a new folder holds from the start. */
  tables: readonly Migrations[];
  /** PGlite, compiled. */
  module: WasmModule;
}

/** What the thread says. */
export type WorkerMessage = { kind: "ready" } | { kind: "failed"; message: string; code: string | undefined };

const { folder, socket, module, durable, tables } = workerData as WorkerInput;
const say = (message: WorkerMessage): void => parentPort?.postMessage(message);

/** The write-ahead log stays small, see maintenance. All of the buffers is filled with zeros when PGlite starts. */
const SETTINGS = ["max_wal_size=64MB", "min_wal_size=32MB", "shared_buffers=32MB"];
/** PGlite's own `-F` is fsync=off, and its fdatasync does nothing. */
const DURABLE = ["fsync=on", "wal_sync_method=fsync"];
/** The rest is how PGlite starts by itself. */
const START_PARAMS = [
  ...PGlite.defaultStartParams.filter((param) => !durable || param !== "-F"),
  ...[...SETTINGS, ...(durable ? DURABLE : [])].flatMap((setting) => ["-c", setting]),
];

/** Flushes the write-ahead log as a commit does. */
const FLUSH = "select pg_logical_emit_message(false, 'atlas', '', true)";

async function openData(data: string): Promise<PGlite> {
  const files = durable ? new SyncedFolder(data) : undefined;
  const complaints: string[] = [];
  const db = await PGlite.create({
    ...(files === undefined ? { dataDir: data } : { fs: files }),
    pgliteWasmModule: module,
    startParams: START_PARAMS,
    onStderr: (line) => {
      if (/ (FATAL|PANIC): /.test(line)) complaints.push(line.replace(/^.* (FATAL|PANIC): */, ""));
      return false;
    },
  }).catch((error: unknown) => {
    throw complaints.length > 0 ? new Error(complaints.join("; "), { cause: error }) : error;
  });
  if (files === undefined) return db;
  const before = files.syncs;
  await db.exec(FLUSH);
  if (files.syncs === before) throw notDurable();
  return db;
}

async function start(): Promise<void> {
  const data = join(folder, "pgdata");
  await prepareData(data, { durable, tables });
  const db = await openData(data);
  const session = sessionOf(db, (reason) => {
    say({ kind: "failed", message: reason, code: undefined });
    process.exit(1);
  });
  // Starting takes a while, in which somebody may have tidied up what was there before.
  makeSocketFolder(dirname(socket));
  rmSync(socket, { force: true });
  const server = await serve({
    session,
    path: socket,
    between: maintenanceOf(session),
    onBroken: (error) => {
      say({ kind: "failed", message: String(error), code: undefined });
      process.exit(1);
    },
  });
  parentPort?.once("message", async () => {
    await server.stop();
    await db.close();
    parentPort?.close();
  });
  say({ kind: "ready" });
}

start().catch((error: NodeJS.ErrnoException) => {
  say({ kind: "failed", message: String(error.message ?? error), code: error.code });
  parentPort?.close();
});
