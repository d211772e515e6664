import { execFile, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type EmbeddedDatabase, openEmbedded } from "../../database/embedded/open-embedded.ts";
import { makeSocketFolder, socketFolder, socketIn } from "../../database/embedded/socket-folder.ts";
import { explain } from "../../errors/atlas-error.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import { type EmbeddedProcess, openIn, startProcess } from "./embedded-process.ts";

const source = join(import.meta.dirname, "../../database/embedded/open-embedded.ts");
const isRoot = process.getuid?.() === 0;

describe("the folder of an embedded database", () => {
  let folder: string;
  const opened: (EmbeddedDatabase | EmbeddedProcess)[] = [];
  const open = async (
    ...options: Parameters<typeof openEmbedded> extends [string, ...infer Rest] ? Rest : never
  ) => {
    const db = await openEmbedded(folder, ...options);
    opened.push(db);
    return db;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "atlas-folder-"));
  });
  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await ("close" in each ? each.close() : each.kill());
    // A killed holder leaves its socket behind, for the next one.
    rmSync(socketFolder(folder), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });

  test("is held by who opens it first, and names that", async () => {
    const first = await open();
    expect(first.role).toBe("holder");
    expect(first.holder).toMatchObject({ pid: process.pid });
    const second = await open();
    expect(second.role).toBe("guest");
    expect(second.holder).toEqual(first.holder);
    await first.query("create table t (n int8, at timestamptz)");
    await second.query("insert into t values ($1, to_timestamp(0))", [2 ** 40]);
    expect((await first.query("select * from t")).rows).toEqual([{ n: 2 ** 40, at: new Date(0) }]);
  });

  test("is its owner's alone, with all that is in it, also where everybody could enter it before", async () => {
    chmodSync(folder, 0o755);
    const umask = process.umask(0);
    try {
      await open();
    } finally {
      process.umask(umask);
    }
    for (const name of [".", ...readdirSync(folder)])
      expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0]);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(["holder.json", "lock.sqlite", "pgdata"]));
  });

  test("is refused by pid and command where nobody may work through its holder", async () => {
    const holder = await openIn(folder);
    opened.push(holder);
    const error = await openEmbedded(folder, { guests: false }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ATLAS_LOG_HELD", retryable: true });
    expect(explain(error)).toContain(`process ${holder.pid} (embedded-child.ts, since 20`);
    expect(explain(error)).toContain(`kill ${holder.pid}`);
  });

  test("is left tidy by close, with nothing that keeps the process alive", async () => {
    const db = await open();
    await db.query("create table t as select 1 as n");
    const sockets = socketFolder(folder);
    expect(existsSync(socketIn(sockets))).toBe(true);
    await db.close();
    await db.close();
    expect(existsSync(sockets)).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(["lock.sqlite", "pgdata"]);
    await expect(db.query("select 1")).rejects.toMatchObject({ code: "ATLAS_LOG_CLOSED" });
    const again = await open();
    expect((await again.query("select n from t")).rows).toEqual([{ n: 1 }]);
  });

  test("is closed when what runs has finished", async () => {
    const db = await open();
    const closing = Promise.withResolvers<void>();
    const slow = db.transaction(async (tx) => {
      await tx.query("create table t as select 1 as n");
      await closing.promise;
      return (await tx.query("select n from t")).rowCount;
    });
    const queued = Promise.all(Array.from({ length: 10 }, () => db.query("select 1")));
    const closed = db.close();
    closing.resolve();
    await closed;
    expect(await slow).toBe(1);
    expect(await queued).toHaveLength(10);
  });

  test("does not keep a process alive that forgot to close, holder or guest, and is fine afterwards", async () => {
    const script = `
      const { openEmbedded } = await import(${JSON.stringify(source)});
      const db = await openEmbedded(${JSON.stringify(folder)});
      await db.query("create table if not exists t (n int)");
      await db.transaction((tx) => tx.query("insert into t values (1)"));
      console.log("done");`;
    for (let round = 1; round <= 3; round += 1) {
      if (round === 3) await open();
      const args = ["--input-type=module", "-e", script];
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: LIMIT_MS });
      expect({ stdout, stderr }).toEqual({ stdout: "done\n", stderr: "" });
    }
    const db = await open();
    expect((await db.query("select count(*) as n from t")).rows).toEqual([{ n: 3 }]);
  });

  test.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("opens again after %s", async (signal) => {
    const other = await openIn(folder);
    await other.ask({ kind: "query", sql: "create table t as select 1 as n" });
    await other.kill(signal);
    const db = await open();
    expect(db.role).toBe("holder");
    expect((await db.query("select n from t")).rows).toEqual([{ n: 1 }]);
  });

  test("is whole or not there, whenever its first opening is cut short", async () => {
    for (const stage of ["lock.sqlite", "pgdata.new", "pgdata"]) {
      const other = await startProcess();
      void other.ask({ kind: "open", folder }).catch(() => undefined);
      // A stage that is over is as good a moment.
      const reached = [stage, "pgdata"].map((name) => join(folder, name));
      await eventually(() => expect(reached.some((path) => existsSync(path))).toBe(true), 2);
      await other.kill();
      const db = await openEmbedded(folder);
      expect((await db.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
      await db.close();
      expect(readdirSync(folder).sort()).toEqual(["lock.sqlite", "pgdata"]);
      rmSync(join(folder, "pgdata"), { recursive: true });
    }
  });

  test("clears away what was half unpacked", async () => {
    mkdirSync(join(folder, "pgdata.new"));
    writeFileSync(join(folder, "pgdata.new", "PG_VERSION"), "18");
    await (await open()).query("select 1");
    expect(readdirSync(folder)).not.toContain("pgdata.new");
  });

  test("is unwritable when it is a file, or in one", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    for (const path of [file, join(file, "within")]) {
      const error = await openEmbedded(path).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "ATLAS_FILE_UNWRITABLE", where: path, retryable: false });
      expect(explain(error)).not.toContain("\n");
    }
  });

  test("is unwritable for a user that may not write", () => {
    const locked = join(folder, "locked");
    mkdirSync(locked);
    chmodSync(locked, 0o555);
    chmodSync(folder, 0o755);
    const script = `
      const { openEmbedded } = await import(${JSON.stringify(source)});
      await openEmbedded(${JSON.stringify(locked)}).catch((error) => console.log(error.code));
      await openEmbedded(${JSON.stringify(join(locked, "new"))}).catch((error) => console.log(error.code));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      ...(isRoot ? { uid: 65534, gid: 65534 } : {}),
    });
    expect({ stdout, stderr }).toEqual({ stdout: "ATLAS_FILE_UNWRITABLE\n".repeat(2), stderr: "" });
  });

  test("says so when its database is damaged", async () => {
    await (await open()).close();
    writeFileSync(join(folder, "pgdata", "global", "pg_control"), "nonsense");
    const error = await openEmbedded(folder).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ATLAS_DATABASE_UNREACHABLE", where: folder, retryable: false });
    expect(explain(error)).toContain("pg_control");
  });

  test("meets its clients in a folder that is this user's alone", async () => {
    const sockets = socketFolder(folder);
    mkdirSync(sockets, { mode: 0o755 });
    expect(() => makeSocketFolder(sockets)).toThrow("not this user's alone");
    await expect(open()).rejects.toMatchObject({ code: "ATLAS_FILE_UNWRITABLE", where: sockets });
    rmSync(sockets, { recursive: true });
    await (await open()).query("select 1");
  });

  test("may be reached by several paths, and its holder have another temporary folder", async () => {
    const elsewhere = join(folder, "tmp");
    mkdirSync(elsewhere);
    const kept = process.env.TMPDIR;
    process.env.TMPDIR = elsewhere;
    const holder = await openIn(join(folder, "log")).finally(() => {
      if (kept === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = kept;
    });
    opened.push(holder);
    const guest = await openEmbedded(join(folder, "tmp", "..", "log"));
    opened.push(guest);
    expect(guest.role).toBe("guest");
    expect(guest.holder?.pid).toBe(holder.pid);
  });

  test("has one holder, however many open it at once", async () => {
    const processes = await Promise.all(Array.from({ length: 5 }, startProcess));
    for (const child of processes) opened.push(child);
    await Promise.all(processes.map((each) => each.ask({ kind: "open", folder })));
    const found = await Promise.all(
      processes.map((each) => each.ask<{ role: string; holder: { pid: number } }>({ kind: "who" })),
    );
    expect(found.map(({ role }) => role).sort()).toEqual(["guest", "guest", "guest", "guest", "holder"]);
    const holder = processes[found.findIndex(({ role }) => role === "holder")]!;
    expect(new Set(found.map((each) => each.holder.pid))).toEqual(new Set([holder.pid]));
    expect(JSON.parse(readFileSync(join(folder, "holder.json"), "utf8"))).toMatchObject({ pid: holder.pid });
  });
});
