import { execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, expect, test } from "vitest";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { AtlasError, isAtlasError } from "../../errors/atlas-error.ts";
import { openPostgresLog } from "../../log/postgres/open-postgres-log.ts";
import { createFlusher, type FlusherOptions } from "../../recording/flusher.ts";
import { createRecorder } from "../../recording/recorder.ts";
import { drainSpools } from "../../recording/spool/drain-spools.ts";
import { newId } from "../../schemas/identity.ts";
import type { Mask } from "../../schemas/masked.ts";
import { eventsIn } from "../as-readers.ts";
import { eventually } from "../eventually.ts";
import { MemoryLog, only } from "./memory-log.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const skipped = (step_id: number, reason = "because") => ({ step_id, reason });
const away = () => {
  throw new AtlasError("ATLAS_LOG_UNREACHABLE", "no answer", { retryable: true });
};

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "atlas-spool-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function open(options: FlusherOptions = {}, folder = join(newFolder(), "spool"), mask?: Mask) {
  const log = Object.assign(new MemoryLog(mask), { id: "log-1" });
  const flusher = createFlusher(log, { spool: { folder, logId: log.id }, ...options });
  cleanups.push(() => flusher.close());
  return { log, folder, flusher, recorder: createRecorder({ flusher, sessionId: newId() }) };
}

test("who cancelled the session does not wait for a log that is away, and waits for one that answers", async () => {
  const { log, folder, flusher } = open();
  const cancelled = createRecorder({ flusher, sessionId: newId(), signal: AbortSignal.abort() });
  cancelled.emit("StepSkipped", skipped(1));
  await cancelled.flush();
  log.before = away;
  const patient = createRecorder({ flusher, sessionId: newId() });
  let settled = false;
  patient.emit("StepSkipped", skipped(1));
  const waiting = patient.flush().then(() => (settled = true));
  cancelled.emit("StepSkipped", skipped(2));
  await expect(cancelled.flush()).rejects.toMatchObject({ code: "ATLAS_SPOOLED", retryable: true });
  expect(spoolFiles(folder)).toHaveLength(1);
  expect(settled).toBe(false);
  log.before = () => {};
  await waiting;
  await cancelled.flush();
  expect(stepsOf(log, cancelled.sessionId)).toEqual([1, 2]);
});

const spoolFiles = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.endsWith(".spool"));
const stepsOf = (log: MemoryLog, sessionId: string): number[] =>
  only(log.session(sessionId), "StepSkipped").map(({ step_id }) => step_id);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test("while the log is away events go to the disk, make room, and are appended in order when it is back", async () => {
  const { log, folder, flusher, recorder } = open({ maxEvents: 100 });
  log.before = away;
  for (const step of upTo(2000)) recorder.emit("StepSkipped", skipped(step));
  await recorder.ready();
  await eventually(() => expect(flusher.spooled).toBe(2000));
  expect(spoolFiles(folder)).toHaveLength(1);
  log.before = () => {};
  recorder.emit("StepSkipped", skipped(2001));
  await recorder.flush();
  expect(stepsOf(log, recorder.sessionId)).toEqual(upTo(2001));
  expect(log.batches.flat()).toHaveLength(2001);
  expect(log.mostOutstanding).toBe(1);
  await eventually(() => expect(readdirSync(folder)).toEqual([]));
});

test("an append that never answers is put on the disk too, and a session stops waiting for it", async () => {
  const { log, folder, flusher, recorder } = open({ answerMs: 30, retryMs: 300 });
  log.before = () => new Promise(() => {});
  for (const step of upTo(10)) recorder.emit("StepSkipped", skipped(step));
  await expect(recorder.flush()).rejects.toMatchObject({ code: "ATLAS_SPOOLED", retryable: true });
  recorder.emit("StepSkipped", skipped(11));
  await eventually(() => expect(flusher.spooled).toBe(11));
  await flusher.close();
  const later = Object.assign(new MemoryLog(), { id: "log-1" });
  expect(await drainSpools(folder, later)).toEqual({ events: 11, files: 1, kept: [] });
  expect(stepsOf(later, recorder.sessionId)).toEqual(upTo(11));
});

test("durable says how many events wait where, and resolves when it is asked again after the log came back", async () => {
  const { log, folder, recorder } = open({ retryMs: 100 });
  log.before = away;
  for (const step of upTo(3)) recorder.emit("StepSkipped", skipped(step));
  const failure = await recorder.flush().catch((error: unknown) => error);
  expect(isAtlasError(failure, "ATLAS_SPOOLED")).toBe(true);
  expect(failure).toMatchObject({
    message: "3 of 3 events of the session wait in the spool: no answer",
    where: join(folder, spoolFiles(folder)[0]!),
    hint: expect.stringContaining("atlas log flush"),
    retryable: true,
  });
  log.before = () => {};
  await eventually(() => recorder.flush());
  expect(stepsOf(log, recorder.sessionId)).toEqual(upTo(3));
});

test("once the log takes events again durable waits for the rest, though it had given up before", async () => {
  const { log, flusher, recorder } = open({ retryMs: 100 });
  log.before = away;
  for (const step of upTo(1200)) recorder.emit("StepSkipped", skipped(step));
  await expect(recorder.flush()).rejects.toMatchObject({ code: "ATLAS_SPOOLED" });
  const second = Promise.withResolvers<void>();
  log.before = () => (log.batches.length === 0 ? undefined : second.promise);
  await eventually(() => expect(flusher.spooled).toBe(700));
  const durable = recorder.flush();
  second.resolve();
  await durable;
  expect(stepsOf(log, recorder.sessionId)).toEqual(upTo(1200));
});

test("what a killed process spooled is appended once and in order, by one of several that try", async () => {
  const home = newFolder();
  const db = await openEmbedded(join(home, "log"));
  const log = await openPostgresLog({ db, embedded: true });
  cleanups.push(
    () => db.close(),
    () => log.close(),
  );
  const folder = join(home, "spool");
  const sessionId = newId();
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "spooling-child.ts"), folder, log.id, sessionId],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  cleanups.push(() => void child.kill("SIGKILL"));
  let confirmed = 0;
  for await (const line of createInterface(child.stdout)) {
    confirmed = Number(line);
    if (confirmed > 2000) break;
  }
  const held = await drainSpools(folder, log);
  expect(held).toMatchObject({ events: 0, kept: [{ inUse: true }] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exited;

  const reports = await Promise.all([1, 2, 3].map(() => drainSpools(folder, log)));
  const drained = reports.reduce((sum, { events }) => sum + events, 0);
  expect(drained).toBeGreaterThanOrEqual(confirmed);
  const events = await eventsIn(log, "atlas.sessions");
  expect(events.map(({ meta }) => meta.sequence)).toEqual(upTo(drained));
  expect(readdirSync(folder)).toEqual([]);
});

test("a torn tail is ignored; a damaged middle and another log's events are kept and named", async () => {
  const { log, folder, flusher, recorder } = open({ retryMs: 20 });
  log.before = away;
  for (const step of upTo(5)) recorder.emit("StepSkipped", skipped(step));
  await recorder.flush().catch(() => {});
  await flusher.close();
  const path = join(folder, spoolFiles(folder)[0]!);
  const whole = readFileSync(path);

  const target = () => Object.assign(new MemoryLog(), { id: "log-1" });
  expect(await drainSpools(folder, Object.assign(new MemoryLog(), { id: "log-2" }))).toMatchObject({
    events: 0,
    kept: [{ path, why: expect.stringContaining("log-1") }],
  });
  writeFileSync(path, whole.subarray(0, whole.length - 3));
  const torn = target();
  expect(await drainSpools(folder, torn)).toEqual({ events: 4, files: 1, kept: [] });
  expect(stepsOf(torn, recorder.sessionId)).toEqual(upTo(4));

  const damaged = Buffer.from(whole);
  damaged[whole.length - 3]! ^= 0xff;
  writeFileSync(path, damaged);
  appendFileSync(path, whole.subarray(whole.indexOf("\n") + 1));
  const report = await drainSpools(folder, target());
  expect(report).toMatchObject({ events: 4, kept: [{ path: `${path}.damaged`, why: /damaged from byte/ }] });
  expect(await drainSpools(folder, target())).toEqual({ events: 0, files: 0, kept: [] });
});

test("events are masked on the disk, and what no log would take costs nothing else", async () => {
  const mask: Mask = (event) => (event.type === "StepSkipped" ? { ...event, reason: "masked" } : event);
  const { log, folder, flusher, recorder } = open({ retryMs: 50 }, join(newFolder(), "spool"), mask);
  log.before = away;
  recorder.emit("StepSkipped", skipped(1, "CANARY"));
  recorder.emit("SessionEnded", { learning_key: "k", status: "exploded" });
  recorder.emit("StepSkipped", skipped(2, "CANARY"));
  const failure = await recorder.flush().catch((error: unknown) => error);
  expect((failure as Error).message).toMatch(/^1 of 3 events of the session were lost/);
  expect(flusher.spooled).toBe(2);
  expect(readFileSync(join(folder, spoolFiles(folder)[0]!)).includes("CANARY")).toBe(false);
});

const isRoot = process.getuid?.() === 0;
test.runIf(isRoot)(
  "a full disk loses what is in memory when the log stays away, says so, and lets runs finish",
  async (context) => {
    const folder = newFolder();
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], { stdio: "ignore" });
    } catch {
      context.skip("file systems cannot be mounted here");
    }
    cleanups.push(() => void execFileSync("umount", ["-l", folder]));
    const { log, flusher, recorder } = open({ retryMs: 300, maxEvents: 500 }, join(folder, "spool"));
    log.before = away;
    for (const step of upTo(50)) recorder.emit("StepSkipped", skipped(step));
    await eventually(() => expect(flusher.spooled).toBe(50));
    for (const step of upTo(400)) recorder.emit("StepSkipped", skipped(50 + step, "x".repeat(1000)));
    const failure = await recorder.flush().catch((error: unknown) => error);
    expect(isAtlasError(failure, "ATLAS_SPOOL_FAILED")).toBe(true);
    expect((failure as Error).message).toMatch(
      /^\d+ of 450 events of the session were lost: no answer.*ENOSPC/,
    );
    await recorder.ready();
    const kept = flusher.spooled;
    expect(kept).toBeGreaterThanOrEqual(50);
    log.before = () => {};
    await eventually(() => expect(flusher.spooled).toBe(0));
    expect(stepsOf(log, recorder.sessionId)).toEqual(upTo(kept));
  },
);

test("a spool folder that cannot be made costs durability, not the run", async () => {
  const folder = newFolder();
  writeFileSync(join(folder, "file"), "");
  const { log, recorder } = open({ retryMs: 50 }, join(folder, "file", "spool"));
  log.before = away;
  recorder.emit("StepSkipped", skipped(1));
  await expect(recorder.flush()).rejects.toMatchObject({ code: "ATLAS_SPOOL_FAILED" });
});

test("a process that is too busy to hear the log's answer does not take it for silence", async () => {
  const { log, folder, recorder } = open({ answerMs: 300 });
  const began = Promise.withResolvers<void>();
  log.before = () => {
    began.resolve();
    return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  };
  recorder.emit("StepSkipped", skipped(1));
  await began.promise;
  const until = performance.now() + 700;
  while (performance.now() < until);
  await recorder.flush();
  expect(log.batches).toHaveLength(1);
  expect(existsSync(folder)).toBe(false);
});
