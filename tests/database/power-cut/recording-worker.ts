// The thread of an embedded database, with a disk that can be told to fail, and that says what it was asked to do.
import fs, { type PathLike } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { Socket } from "node:net";
import { join } from "node:path";
import { serialize } from "node:v8";
import { workerData } from "node:worker_threads";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import type { WorkerInput } from "../../../database/embedded/worker.ts";
import { FAULTS, type Op, type Recording, SLOTS } from "./recording.ts";

const { folder, recording } = workerData as WorkerInput & { recording: Recording };
const slots = new Int32Array(recording.shared);
const data = join(folder, "pgdata");
const real = { ...fs };
const realOpen = fs.promises.open;

const ops: Op[] = [];
/** Some of Node's functions call others of them. */
let within = false;
const note = (op: Op): void => {
  if (within) return;
  ops.push(op);
  Atomics.store(slots, SLOTS.ops, ops.length);
};
/** Of a data folder, or of one that is about to be one; undefined for everything else. */
const own = (path: PathLike): string | undefined => {
  const text = String(path);
  return text.startsWith(data) || text === folder ? text.slice(folder.length) : undefined;
};
const files = new Map<number, string>();
const bytesOf = (what: string | NodeJS.ArrayBufferView): Buffer =>
  typeof what === "string" ? Buffer.from(what) : Buffer.from(what.buffer, what.byteOffset, what.byteLength);

function fail(path: string): void {
  const fault = FAULTS[Atomics.load(slots, SLOTS.fault)];
  if (fault === undefined || !path.includes(fault.path)) return;
  Atomics.add(slots, SLOTS.faults, 1);
  throw Object.assign(new Error(`${fault.code}: injected`), { code: fault.code });
}

function synced(path: string): void {
  fail(path);
  Atomics.add(slots, SLOTS.syncs, 1);
  note({ kind: "sync", path });
}

const both = (kind: "mkdir" | "unlink" | "remove", path: PathLike): void => {
  const at = own(path);
  if (at !== undefined) note({ kind, path: at });
};

Object.assign(fs, {
  openSync(path: PathLike, flags: number | string = "r", mode?: number) {
    const at = own(path);
    const isNew = at !== undefined && !real.existsSync(path);
    const fd = real.openSync(path, flags, mode);
    if (at === undefined) files.delete(fd);
    else files.set(fd, at);
    if (isNew) note({ kind: "create", path: at });
    return fd;
  },
  writeSync(fd: number, from: Uint8Array, offset: number, length: number, position: number) {
    const written = real.writeSync(fd, from, offset, length, position);
    const path = files.get(fd);
    if (path !== undefined)
      note({
        kind: "write",
        path,
        at: position,
        bytes: Buffer.from(from.subarray(offset, offset + written)),
      });
    return written;
  },
  writeFileSync(path: PathLike, content: string | NodeJS.ArrayBufferView, options?: fs.WriteFileOptions) {
    within = true;
    try {
      real.writeFileSync(path, content, options);
    } finally {
      within = false;
    }
    const at = own(path);
    if (at === undefined) return;
    note({ kind: "create", path: at });
    note({ kind: "write", path: at, at: 0, bytes: Buffer.from(bytesOf(content)) });
  },
  ftruncateSync(fd: number, size: number) {
    real.ftruncateSync(fd, size);
    const path = files.get(fd);
    if (path !== undefined) note({ kind: "truncate", path, size });
  },
  truncateSync(path: PathLike, size: number) {
    real.truncateSync(path, size);
    const at = own(path);
    if (at !== undefined) note({ kind: "truncate", path: at, size });
  },
  renameSync(from: PathLike, to: PathLike) {
    real.renameSync(from, to);
    const [before, after] = [own(from), own(to)];
    if (before === undefined || after === undefined) return;
    for (const [fd, path] of files)
      if (path === before || path.startsWith(`${before}/`)) files.set(fd, after + path.slice(before.length));
    note({ kind: "rename", path: before, to: after });
  },
  mkdirSync(path: PathLike, options?: fs.MakeDirectoryOptions) {
    const isNew = !real.existsSync(path);
    const made = real.mkdirSync(path, options);
    if (isNew) both("mkdir", path);
    return made;
  },
  unlinkSync(path: PathLike) {
    real.unlinkSync(path);
    for (const [fd, at] of files) if (at === own(path)) files.delete(fd);
    both("unlink", path);
  },
  rmdirSync(path: PathLike) {
    real.rmdirSync(path);
    both("unlink", path);
  },
  rmSync(path: PathLike, options?: fs.RmOptions) {
    const isThere = real.existsSync(path);
    real.rmSync(path, options);
    if (isThere) both("remove", path);
  },
  fsyncSync(fd: number) {
    const path = files.get(fd);
    if (path !== undefined) fail(path);
    real.fsyncSync(fd);
    if (path !== undefined) synced(path);
  },
});

fs.promises.open = async (path, flags, mode) => {
  const at = own(path);
  const isNew = at !== undefined && !real.existsSync(path);
  const file = await realOpen(path, flags, mode);
  if (at === undefined) return file;
  if (isNew) note({ kind: "create", path: at });
  const sync = file.sync.bind(file);
  file.sync = async () => {
    await sync();
    synced(at);
  };
  return file;
};
syncBuiltinESMExports();

const write = Socket.prototype.write;
Socket.prototype.write = function (this: Socket, ...args: Parameters<Socket["write"]>) {
  note({ kind: "answer" });
  return write.apply(this, args);
} as Socket["write"];

const { withoutHook } = recording;
if (withoutHook !== undefined) {
  const { init } = NodeFS.prototype;
  NodeFS.prototype.init = async function (...args) {
    const { emscriptenOpts } = await init.apply(this, args);
    const decoy = (found: object): object => ({ ...found, stream_ops: {}, node_ops: { mknod: () => ({}) } });
    const preRun = [
      ...(emscriptenOpts.preRun ?? []),
      (module: { NODEFS: object }) =>
        Object.assign(module, { NODEFS: withoutHook === "missing" ? undefined : decoy(module.NODEFS) }),
    ];
    return { emscriptenOpts: { ...emscriptenOpts, preRun } };
  };
}

process.on("exit", () => {
  if (recording.file !== undefined) real.writeFileSync(recording.file, serialize(ops));
});
await import("../../../database/embedded/worker.ts");
