import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type EmbeddedOptions, openEmbedded } from "../../database/embedded/open-embedded.ts";
import { isTransient } from "../../database/transient.ts";
import { explain } from "../../errors/atlas-error.ts";
import { openPostgresLog } from "../../log/postgres/open-postgres-log.ts";
import { newId } from "../../schemas/identity.ts";
import type { Masked } from "../../schemas/masked.ts";
import { fact } from "../log/facts.ts";
import { FAULTS, type Op, type Recording, type RecordingDisk, recordingDisk } from "./power-cut/recording.ts";

describe("an embedded database", () => {
  let folder: string;
  let disk: RecordingDisk | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "atlas-durable-"));
  });
  afterEach(() => {
    disk?.restore();
    rmSync(folder, { recursive: true, force: true });
  });
  const open = (options?: EmbeddedOptions) => openEmbedded(folder, options);
  const record = (options?: Pick<Recording, "withoutHook">): RecordingDisk => {
    disk = recordingDisk(options);
    return disk;
  };
  const fault = (path: string, code: string): number =>
    FAULTS.findIndex((each) => each?.path === path && each.code === code);

  test("syncs the write-ahead log once for each commit before it answers", async () => {
    const recorded = record();
    const db = await open();
    await db.query("create table t (n int)");
    const before = recorded.count("syncs");
    const begun = recorded.count("ops");
    for (let n = 0; n < 10; n += 1) await db.query("insert into t values ($1)", [n]);
    expect(recorded.count("syncs") - before).toBe(10);
    const ended = recorded.count("ops");
    await db.close();
    const between = recorded.take().slice(begun, ended);
    const story = between.flatMap((op) => {
      if (op.kind === "answer") return ["answer"];
      return "path" in op && op.path.startsWith("/pgdata/pg_wal/") ? [op.kind] : [];
    });
    expect(story.join(" ")).toBe(Array(10).fill("write sync answer").join(" "));
  });

  test("syncs a new folder as a whole before it gets its name, and the name before it answers", async () => {
    const recorded = record();
    const db = await open();
    await db.close();
    const ops = recorded.take();
    const renamed = ops.findIndex(({ kind }) => kind === "rename");
    expect(ops[renamed]).toEqual({ kind: "rename", path: "/pgdata.new", to: "/pgdata" });
    const syncs = (part: Op[]) => new Set(part.flatMap((op) => (op.kind === "sync" ? [op.path] : [])));
    const made = ops
      .slice(0, renamed)
      .flatMap((op) => (op.kind === "create" || op.kind === "mkdir" ? [op.path] : []));
    expect(made.length).toBeGreaterThan(300);
    expect(made.filter((path) => !syncs(ops.slice(0, renamed)).has(path))).toEqual([]);
    expect(ops[renamed + 1]).toEqual({ kind: "sync", path: "" });
  });

  test("syncs files and folders at a checkpoint", async () => {
    const recorded = record();
    const db = await open();
    await db.query("create table t (body text)");
    await db.query("insert into t select repeat(md5(g::text), 60) from generate_series(1, 2000) g");
    const begun = recorded.count("ops");
    await db.query("checkpoint");
    const ended = recorded.count("ops");
    await db.close();
    const synced = recorded
      .take()
      .slice(begun, ended)
      .flatMap((op) => (op.kind === "sync" ? [op.path] : []));
    const needed = ["/pgdata/pg_wal", "/pgdata/pg_xact", "/pgdata/base/5", "/pgdata/global/pg_control"];
    const missing = needed.filter((path) => !synced.includes(path));
    expect(missing).toEqual([]);
    expect(synced.filter((path) => path.startsWith("/pgdata/base/5/")).length).toBeGreaterThan(5);
  });

  test.each(["missing", "unused"] as const)(
    "is refused with a PGlite whose hook is %s, unless told",
    async (how) => {
      record({ withoutHook: how });
      const error = await open().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "ATLAS_LOG_NOT_DURABLE", where: folder, retryable: false });
      expect(explain(error)).toContain("log.durable");
      const db = await open({ durable: false });
      expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
      await db.close();
    },
  );

  test("syncs nothing where it is told so, and everything when that ends", async () => {
    const recorded = record();
    const loose = await open({ durable: false });
    await loose.query("create table t (n int)");
    await loose.query("insert into t values (1)");
    await loose.close();
    expect(recorded.count("syncs")).toBe(0);
    const db = await open();
    await db.close();
    const synced = new Set(recorded.take().flatMap((op) => (op.kind === "sync" ? [op.path] : [])));
    const { relfile } = await (async () => {
      const again = await open();
      const { rows } = await again.query<{ relfile: string }>("select pg_relation_filepath('t') as relfile");
      await again.close();
      return rows[0] as { relfile: string };
    })();
    expect([...synced]).toContain(`/pgdata/${relfile}`);
    expect(synced.size).toBeGreaterThan(300);
  });

  test.each([
    ["EIO", "ATLAS_DISK_FAILED"],
    ["ENOSPC", "ATLAS_DISK_FULL"],
  ] as const)(
    "stops at a sync that fails with %s, says so, and keeps what it confirmed",
    async (code, expected) => {
      const recorded = record();
      const db = await open();
      await db.query("create table t (n int)");
      for (let n = 0; n < 5; n += 1) await db.query("insert into t values ($1)", [n]);
      recorded.set("fault", fault("/pg_wal/", code));
      const error = await db.query("insert into t values (5)").catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: expected, where: folder, retryable: true });
      expect(isTransient(error)).toBe(true);
      const inTransaction = db.transaction((tx) => tx.query("insert into t values (6)"));
      await expect(inTransaction).rejects.toMatchObject({ code: expected });
      expect(recorded.count("faults")).toBeGreaterThan(0);
      recorded.set("fault", 0);
      const { rows } = await db.query<{ n: number }>("select n from t order by n");
      expect(rows.slice(0, 5)).toEqual([0, 1, 2, 3, 4].map((n) => ({ n })));
      await db.query("insert into t values (7)");
      await db.close();
    },
  );

  test("stops at a checkpoint whose sync fails, whoever asked for it", async () => {
    const recorded = record();
    const db = await open();
    await db.query("create table t (n int)");
    await db.query("insert into t values (1)");
    recorded.set("fault", fault("/base/", "EIO"));
    await expect(db.query("checkpoint")).rejects.toMatchObject({ code: "ATLAS_DISK_FAILED" });
    recorded.set("fault", 0);
    expect((await db.query("select n from t")).rows).toEqual([{ n: 1 }]);
    await db.close();
  });

  test("is closed on a disk that fails, and loses nothing by that", async () => {
    const recorded = record();
    const db = await open();
    await db.query("create table t (n int)");
    await db.query("insert into t values (1)");
    recorded.set("fault", fault("", "EIO"));
    await db.close();
    expect(recorded.count("faults")).toBeGreaterThan(0);
    recorded.set("fault", 0);
    const again = await open();
    expect((await again.query("select n from t")).rows).toEqual([{ n: 1 }]);
    await again.close();
  });

  test("lets an append to its log say what the disk does, and the same append go on when it is mended", async () => {
    const recorded = record();
    const db = await open();
    const log = await openPostgresLog({ db, embedded: true });
    const [first, second] = [1, 2].map((sequence) => log.mask(fact(newId(), sequence))) as [Masked, Masked];
    await log.append([first]);
    recorded.set("fault", fault("/pg_wal/", "EIO"));
    await expect(log.append([second])).rejects.toMatchObject({ code: "ATLAS_DISK_FAILED", retryable: true });
    recorded.set("fault", 0);
    await log.append([second]);
    const found = new Set<string>();
    for await (const batch of log.read(["atlas.sessions"]))
      for (const { event } of batch) found.add(event.meta.event_id);
    expect([...found].toSorted()).toEqual([first, second].map(({ meta }) => meta.event_id).toSorted());
    await log.close();
    await db.close();
  });

  test("does not start on a disk that fails, and does when it is mended", async () => {
    const recorded = record();
    await (await open({ durable: false })).close();
    recorded.set("fault", fault("", "EIO"));
    await expect(open()).rejects.toMatchObject({ code: "ATLAS_DISK_FAILED" });
    recorded.set("fault", 0);
    await (await open()).close();
  });
});
