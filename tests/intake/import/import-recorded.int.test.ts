import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPostgres } from "../../../database/pg-database.ts";
import { isAtlasError } from "../../../errors/atlas-error.ts";
import { type ImportOptions, importRecorded } from "../../../intake/import/import-recorded.ts";
import type { EventLog } from "../../../log/event-log.ts";
import { openPostgresLog } from "../../../log/postgres/open-postgres-log.ts";
import type { AtlasEvent } from "../../../schemas/generated/events.ts";
import { foldSession } from "../../../traces/fold.ts";
import { eventsIn } from "../../as-readers.ts";
import { notRun } from "../../services/not-run.ts";
import { missing, postgres } from "../../services/services.ts";

const FIXTURE = join(import.meta.dirname, "fixtures/conversations.jsonl");
const RUNS = process.env.ATLAS_RECORDED_RUNS;
if (RUNS === undefined) await notRun("100 real runs: ATLAS_RECORDED_RUNS names no folder with airline.jsonl");
const folder = mkdtempSync(join(tmpdir(), "atlas-import-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let written = 0;
function fileOf(content: string | object): string {
  written += 1;
  const path = join(folder, `runs-${written}.jsonl`);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content, null, 2));
  return path;
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

const chat = (text: string) => ({
  messages: [
    { role: "user", content: text },
    { role: "assistant", content: `${text}!` },
  ],
});

describe.skipIf(await missing("postgres"))("importing into a log", () => {
  const opened: { close(): Promise<void> }[] = [];
  let log: EventLog;

  async function emptyLog(): Promise<EventLog> {
    const db = await openPostgres((await postgres()).url);
    const fresh = await openPostgresLog({ db });
    opened.unshift(fresh, db);
    return fresh;
  }

  beforeAll(async () => {
    log = await emptyLog();
  });
  afterAll(async () => {
    for (const each of opened) await each.close();
  });

  const stored = (from = log): Promise<AtlasEvent[]> => eventsIn(from, "atlas.sessions");

  async function sequencesOf(from: EventLog): Promise<Map<string, number>> {
    const events = await stored(from);
    return new Map(events.map(({ meta }) => [meta.source, meta.sequence]));
  }

  const importInto = (into: EventLog, files: string[], options: Partial<ImportOptions> = {}) =>
    importRecorded({
      files,
      log: into,
      rulesHash: "rules",
      knownSequences: () => sequencesOf(into),
      ...options,
    });

  test("the good rows go in, the others are named by file and line", async () => {
    const summary = await importInto(log, [FIXTURE], { at: new Date("2025-06-01T00:00:00Z") });
    expect(summary).toMatchObject({ sessions: 4, skippedSessions: 0, skippedEvents: 0, malformed: 1 });
    expect(summary.problems).toEqual([
      { file: FIXTURE, line: 4, reason: expect.stringContaining("it is not valid JSON") },
    ]);
    expect(summary.warnings).toEqual([
      { file: FIXTURE, line: 5, reason: expect.stringContaining("reward lies outside 0 to 1") },
    ]);
    const events = await stored();
    expect(events.length).toBe(summary.events);
    const sessions = Map.groupBy(events, ({ meta }) => meta.source);
    const traces = [...sessions.values()].map((own) => foldSession(own));
    expect(traces.flatMap(({ incomplete_reasons }) => incomplete_reasons)).toEqual([]);
    expect(traces.map(({ final_answer }) => final_answer).sort()).toEqual([
      "Good day to you.",
      "Hello!",
      "I cannot say.",
      "The lamp costs 19.50.",
    ]);
    // The order of the file is the order in time, for the rows that have no time of their own.
    const starts = traces
      .filter(({ time_assumed }) => time_assumed)
      .map(({ started, created_at }) => [created_at, started!.task]);
    const at = Date.parse("2025-06-01T00:00:00Z") * 1000;
    expect(starts).toContainEqual([at + 7, "Is the lamp\nin stock?"]);
    expect(starts).toContainEqual([at + 10, "hello"]);
    expect(starts).toContainEqual([at + 12, "Good day"]);
  });

  test("a second time adds nothing, whatever the time and the rules", async () => {
    const before = await stored();
    const summary = await importInto(log, [FIXTURE, FIXTURE], { rulesHash: "others", at: new Date(0) });
    expect(summary).toMatchObject({ sessions: 0, events: 0, skippedSessions: 8, malformed: 2 });
    expect(summary.skippedEvents).toBe(2 * before.length);
    expect(await stored()).toEqual(before);
  });

  test("an import that was killed anywhere is completed by the next one", async () => {
    const rows = [chat("one"), chat("two"), chat("three")];
    const file = fileOf(rows);
    const whole = await emptyLog();
    await importInto(whole, [file], { learningKey: "k" });
    const expected = await stored(whole);
    for (const kept of [1, 5, 9, expected.length - 1]) {
      const killed = await emptyLog();
      await killed.append(bySession(expected).slice(0, kept).map(killed.mask));
      const summary = await importInto(killed, [file], { learningKey: "k" });
      expect(summary.events).toBe(expected.length - kept);
      expect(bySession(await stored(killed))).toEqual(bySession(expected));
    }
  });

  test("the same row twice is one session; one id for two conversations is told", async () => {
    const into = await emptyLog();
    const rows = [
      { id: "a", ...chat("x") },
      { id: "a", ...chat("x") },
      { id: "a", ...chat("y") },
    ];
    const file = fileOf(rows);
    const summary = await importInto(into, [file]);
    expect(summary).toMatchObject({ sessions: 2, skippedSessions: 1, malformed: 0 });
    expect(summary.warnings).toEqual([
      {
        file,
        line: expect.any(Number),
        reason: 'another conversation has the id "a" too; both were imported',
      },
    ]);
    expect((await sequencesOf(into)).size).toBe(2);
  });

  test("JSON lines and a pretty-printed array are the same sessions", async () => {
    const into = await emptyLog();
    const rows = [chat("p"), chat("q")];
    await importInto(into, [fileOf(rows)]);
    const again = await importInto(into, [fileOf(rows.map((row) => JSON.stringify(row)).join("\r\n"))]);
    expect(again).toMatchObject({ sessions: 0, skippedSessions: 2 });
  });

  test("times are those of the file, where nothing else is said", async () => {
    const into = await emptyLog();
    const file = fileOf([chat("m"), chat("n")]);
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    await importInto(into, [file]);
    const starts = (await stored(into))
      .filter(({ type }) => type === "SessionStarted")
      .map(({ meta }) => meta);
    expect(starts.map(({ occurred_at }) => occurred_at).sort()).toEqual([
      1_700_000_000_000_000, 1_700_000_000_000_002,
    ]);
    expect(starts.every(({ time_assumed }) => time_assumed)).toBe(true);
  });

  test("a content of 20 MB comes back unchanged", async () => {
    const into = await emptyLog();
    const long = "0123456789 é ".repeat(1_600_000);
    await importInto(into, [
      fileOf([
        {
          messages: [
            { role: "user", content: "hi" },
            { role: "assistant", content: long },
          ],
        },
      ]),
    ]);
    const trace = foldSession(await stored(into));
    expect(trace.incomplete_reasons).toEqual([]);
    expect(trace.final_answer === long).toBe(true);
  });

  test("a signal stops it between two batches; the next import goes on", async () => {
    const into = await emptyLog();
    const file = fileOf(Array.from({ length: 600 }, (_, index) => chat(`row ${index}`)));
    const stop = new AbortController();
    const seen: number[] = [];
    const aborted = importInto(into, [file], {
      signal: stop.signal,
      onProgress: ({ events }) => {
        seen.push(events);
        stop.abort();
      },
    });
    expect(await failure(aborted)).toMatchObject({ name: "AbortError" });
    expect(seen.length).toBe(1);
    expect((await stored(into)).length).toBe(seen[0]);
    const rest = await importInto(into, [file]);
    expect(rest.sessions + rest.skippedSessions).toBe(600);
    expect((await sequencesOf(into)).size).toBe(600);
  });

  test("a file that is not there, a folder, and what is no learning key", async () => {
    for (const [file, reason] of [
      [join(folder, "none.jsonl"), "the file does not exist"],
      [folder, "it is a folder, not a file"],
    ] as const) {
      const error = await failure(importInto(log, [file]));
      expect(error).toMatchObject({ code: "ATLAS_FILE_UNREADABLE", message: reason, where: file });
      const before = await sequencesOf(log);
      expect(await failure(importInto(log, [fileOf([chat(reason)]), file]))).toMatchObject({ where: file });
      expect(await sequencesOf(log)).toEqual(before);
    }
    const error = await failure(importInto(log, [FIXTURE], { learningKey: "a\0" }));
    expect(isAtlasError(error, "ATLAS_LEARNING_KEY_INVALID")).toBe(true);
  });

  test.skipIf(RUNS === undefined)("100 real runs of an agent", async () => {
    const into = await emptyLog();
    const file = join(RUNS!, "airline.jsonl");
    const summary = await importInto(into, [file], { learningKey: "airline" });
    expect(summary).toMatchObject({ sessions: 100, skippedSessions: 0, malformed: 0, warnings: [] });
    const sessions = Map.groupBy(await stored(into), ({ meta }) => meta.source);
    expect(sessions.size).toBe(100);
    for (const events of sessions.values()) {
      const trace = foldSession(events);
      expect(trace.incomplete_reasons).toEqual([]);
      expect(trace.judgements.map(({ judge }) => judge)).toEqual(["recorded"]);
    }
    expect(await importInto(into, [file], { learningKey: "airline" })).toMatchObject({
      events: 0,
      skippedSessions: 100,
    });
  });
});

/** In the order in which an import appends, which partitions do not keep. */
function bySession(events: readonly AtlasEvent[]): AtlasEvent[] {
  return [...events].sort(
    (a, b) =>
      (a.meta.source < b.meta.source ? -1 : a.meta.source > b.meta.source ? 1 : 0) ||
      a.meta.sequence - b.meta.sequence,
  );
}
