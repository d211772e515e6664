import { spawnSync } from "node:child_process";
import fs, { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tryFileLock } from "../../database/file-lock.ts";
import { privateFolder } from "../../files/folders.ts";
import { writeWhole } from "../../files/whole-file.ts";
import { SpoolFile } from "../../recording/spool/spool-file.ts";
import { LineSeries, SERIES_START } from "../../sinks/jsonl/line-series.ts";
import { writeRunRecord } from "../../sinks/run-record.ts";
import { aRunRecord } from "./run-record.ts";

let folder: string;
let umask: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atlas-folders-"));
  umask = process.umask();
});
afterEach(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true, force: true });
});

const modeOf = (...path: string[]): string => (statSync(join(folder, ...path)).mode & 0o777).toString(8);

test.each([0o000, 0o022])(
  "under the umask %i, what is kept beside the log is its owner's alone",
  async (mask) => {
    process.umask(mask);
    const home = join(folder, ".atlas");
    const record = await writeRunRecord(join(home, "runs"), aRunRecord);
    const spool = await SpoolFile.create(join(home, "spool"), "log");
    const lock = tryFileLock(join(home, "lock.sqlite"))!;
    writeWhole(join(home, "holder.json"), "{}");
    const series = new LineSeries(join(home, "live"), "approved-0", 10);
    await series.write(await series.write(SERIES_START, '{"id":1}\n'), '{"id":2}\n');
    for (const name of ["", "runs", "spool", "live"])
      expect([name, modeOf(".atlas", name)]).toEqual([name, "700"]);
    const files = [record, spool.path, `${spool.path}.lock`, series.pathOf(0), series.pathOf(1)];
    for (const name of ["lock.sqlite", "holder.json"]) files.push(join(home, name));
    for (const file of files) expect([file, modeOf(file.slice(folder.length))]).toEqual([file, "600"]);
    await series.close();
    await spool.close();
    lock.release();
  },
);

test("a folder of ours that everybody could enter is narrowed, and so is a lock that everybody could hold", () => {
  process.umask(0);
  mkdirSync(join(folder, ".atlas", "spool"), { recursive: true });
  mkdirSync(join(folder, "log", "pgdata"), { recursive: true });
  for (const name of [".atlas", ".atlas/spool", "log"]) {
    expect(modeOf(name)).toBe("777");
    privateFolder(join(folder, name));
    expect(modeOf(name)).toBe("700");
  }
  const path = join(folder, "log", "lock.sqlite");
  writeFileSync(path, "", { mode: 0o644 });
  const held = tryFileLock(path)!;
  expect(modeOf("log", "lock.sqlite")).toBe("600");
  // Taking it again, here, frees nothing.
  expect(tryFileLock(path)).toBeUndefined();
  held.release();
});

test("a folder that holds something else as well is left as it is", () => {
  writeFileSync(join(folder, "index.html"), "");
  chmodSync(folder, 0o755);
  privateFolder(folder);
  expect(modeOf()).toBe("755");
});

test("files of a series have the mode of the one before them, so that they can be shared", async () => {
  const series = new LineSeries(folder, "approved-0", 10);
  const first = await series.write(SERIES_START, '{"id":1}\n');
  chmodSync(series.pathOf(0), 0o644);
  await series.write(await series.takeOver(first), '{"id":2}\n');
  await series.close();
  expect([modeOf("approved-0-000000.jsonl"), modeOf("approved-0-000001.jsonl")]).toEqual(["644", "644"]);
});

test("where the working directory is gone, making a folder does not go on for ever", {
  timeout: 60_000,
}, () => {
  const source = (name: string): string => JSON.stringify(join(import.meta.dirname, "../../files", name));
  const script = `import { rmSync } from "node:fs";
    import { makeFolder, privateFolder } from ${source("folders.ts")};
    import { writeWhole } from ${source("whole-file.ts")};
    rmSync(process.cwd(), { recursive: true });
    for (const make of [() => privateFolder(".atlas/spool"), () => makeFolder(".atlas/live"), () => writeWhole(".atlas/a/b", "")])
      try { await make(); } catch (error) { if (error.code !== "ENOENT") throw error; }
    console.log("ended");`;
  const home = join(folder, "gone");
  mkdirSync(home);
  const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: home,
    encoding: "utf8",
    timeout: 50_000,
    killSignal: "SIGKILL",
  });
  expect([status, stdout]).toEqual([0, "ended\n"]);
});

test("a folder that is made is on the disk with all that it was made in, before anything is put into it", async () => {
  const { openSync, fsyncSync } = fs;
  const opened = new Map<number, string>();
  const synced: string[] = [];
  fs.openSync = (...args) => {
    const fd = openSync(...args);
    opened.set(fd, String(args[0]));
    return fd;
  };
  fs.fsyncSync = (fd) => {
    fsyncSync(fd);
    synced.push(opened.get(fd) ?? "");
  };
  syncBuiltinESMExports();
  try {
    privateFolder(join(folder, "a", "b", "c"));
    expect(synced.toSorted()).toEqual([folder, join(folder, "a"), join(folder, "a", "b")]);
    privateFolder(join(folder, "a", "b", "c"));
    expect(synced).toHaveLength(3);
  } finally {
    Object.assign(fs, { openSync, fsyncSync });
    syncBuiltinESMExports();
  }
});
