import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deserialize } from "node:v8";
import type { WorkerOptions } from "node:worker_threads";

/** What the disk was asked to do with the data folder; paths begin with `/pgdata`, the folder around it is empty. */
export type Op =
  | { kind: "create"; path: string }
  | { kind: "mkdir" | "unlink" | "remove" | "sync"; path: string }
  | { kind: "write"; path: string; at: number; bytes: Uint8Array }
  | { kind: "truncate"; path: string; size: number }
  | { kind: "rename"; path: string; to: string }
  /** A client was told something. */
  | { kind: "answer" };

/** What the thread is told besides what a database's thread is told. */
export interface Recording {
  shared: SharedArrayBuffer;
  /** Where the recorded operations go when the thread ends. */
  file: string | undefined;
  /** A PGlite that lacks the hook, or does not call it. */
  withoutHook?: "missing" | "unused";
}

/** Places of the shared numbers. */
export const SLOTS = { ops: 0, syncs: 1, fault: 2, faults: 3 } as const;

/** Which syncs fail, and with what; the first is none. */
export const FAULTS = [
  undefined,
  { path: "/pg_wal/", code: "EIO" },
  { path: "/pg_wal/", code: "ENOSPC" },
  { path: "/base/", code: "EIO" },
  { path: "", code: "EIO" },
] as const;

/** A disk below the embedded databases that are opened from now on. */
export interface RecordingDisk {
  /** How many operations there were in the present thread, or another number of it. */
  count(what: keyof typeof SLOTS): number;
  set(what: keyof typeof SLOTS, value: number): void;
  /** What was recorded since the last call, once the thread has ended. */
  take(): Op[];
  restore(): void;
}

/** Puts a recording disk below all threads of embedded databases that this process starts. */
export function recordingDisk(options: Pick<Recording, "withoutHook"> = {}): RecordingDisk {
  const threads = createRequire(import.meta.url)(
    "node:worker_threads",
  ) as typeof import("node:worker_threads");
  const { Worker: RealWorker } = threads;
  const shared = new SharedArrayBuffer(4 * Object.keys(SLOTS).length);
  const slots = new Int32Array(shared);
  const home = mkdtempSync(join(tmpdir(), "atlas-recording-"));
  let runs = 0;
  const fileOf = (run: number): string => join(home, `${run}.ops`);
  threads.Worker = class extends RealWorker {
    constructor(_: string | URL, given: WorkerOptions) {
      runs += 1;
      const recording: Recording = { ...options, shared, file: fileOf(runs) };
      super(new URL("./recording-worker.ts", import.meta.url), {
        ...given,
        workerData: { ...(given.workerData as object), recording },
      });
    }
  };
  syncBuiltinESMExports();
  return {
    count: (what) => Atomics.load(slots, SLOTS[what]),
    set: (what, value) => void Atomics.store(slots, SLOTS[what], value),
    take: () => deserialize(readFileSync(fileOf(runs))) as Op[],
    restore() {
      threads.Worker = RealWorker;
      syncBuiltinESMExports();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
