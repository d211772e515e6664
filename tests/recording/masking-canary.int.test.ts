import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { exportDataset } from "../../app/export-dataset.ts";
import { openAtlas } from "../../app/open-atlas.ts";
import { AtlasError, explain } from "../../errors/atlas-error.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { createFlusher } from "../../recording/flusher.ts";
import { createMask } from "../../recording/masking/create-mask.ts";
import { DETECTOR_NAMES } from "../../recording/masking/detectors.ts";
import { createRecorder } from "../../recording/recorder.ts";
import type { AtlasEvent, Draft, EventType } from "../../schemas/generated/events.ts";
import { newId } from "../../schemas/identity.ts";
import { maskingBy } from "../../schemas/masked.ts";
import { EVENT_TYPES, plantedEvent, plantedEvents } from "./planted.ts";

const CANARY = "CANARY7F3A";
/** What only the name it stands under tells. */
const NAMED = "hunter2canary";
const HEX = Buffer.from(CANARY).toString("hex");

const folder = mkdtempSync(join(tmpdir(), "atlas-canary-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const planting = (sessionId: string): AtlasEvent[] => plantedEvents(sessionId, CANARY);

/** Every file below a folder. */
const filesOf = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: "utf8" })
    .map((name) => join(path, name))
    .filter((name) => statSync(name, { throwIfNoEntry: false })?.isFile());

const clean = (text: string, where: string): void => {
  expect(text.includes(CANARY) || text.includes(NAMED) || text.toLowerCase().includes(HEX), where).toBe(
    false,
  );
};

test("the canary is planted in every text of every event type", () => {
  for (const event of planting(newId())) expect(JSON.stringify(event), event.type).toContain(CANARY);
});

test("what a mask takes out is in no log row, read model, dead letter, export, spool file or error", async () => {
  const told: string[] = [];
  const warn = vi
    .spyOn(process, "emitWarning")
    .mockImplementation((warning) => void told.push(String(warning)));
  const home = join(folder, "home");
  const config = {
    log: { kind: "embedded" as const, path: home },
    capture: { patterns: [CANARY], mask: [...DETECTOR_NAMES] },
  };
  const letters: string[] = [];
  {
    await using atlas = await openAtlas(config, {
      onDeadLetter: (_group, _record, error) => void letters.push(explain(error)),
    });
    const result = await atlas.run({
      task: `say ${CANARY}`,
      agent: functionAgent(async (_task, _input, ctx) => {
        const login = { user: "ann", password: NAMED, headers: [{ name: "Cookie", value: NAMED }] };
        await ctx.tool("login", login, () => `{"token":"${NAMED}"}\nPASSWORD=${NAMED}`);
        await ctx.tool(CANARY, { [CANARY]: CANARY }, () => `${"x".repeat(300_000)}${CANARY}`);
        throw new Error(`cannot say ${CANARY}`);
      }),
      teacher: simulatedModel({ latencyMs: 1 }),
      judge: simulatedModel({ latencyMs: 1 }),
      learningKey: CANARY,
      metadata: { [CANARY]: CANARY, clientSecret: [NAMED] },
      onEvent: (event) => clean(JSON.stringify(event), "onEvent"),
    });
    await result.durable;
    expect(result.status).toBe("failed");
    clean(`${explain(result.error)} ${result.error?.stack}`, "the error of a run");
    const sessionId = newId();
    for (const event of planting(sessionId)) {
      await atlas.log.append([event].map(atlas.log.mask)).catch((error: unknown) => {
        throw new Error(`${event.type}: ${explain(error)}`);
      });
    }
    // Consumers refuse what is planted; with its branch it would go where none of them reads.
    const drifted = plantedEvent("DriftAssessed", CANARY, {
      sessionId,
      sequence: EVENT_TYPES.length + 1,
    });
    const derivation = { ...drifted.meta.derivation!, branch: null };
    await atlas.log.append([{ ...drifted, meta: { ...drifted.meta, derivation } }].map(atlas.log.mask));
    await atlas.settled();
    expect(letters.length).toBeGreaterThan(0);
    const bad = {
      ...plantedEvent("LaneSelected", CANARY, { sessionId: newId(), sequence: 1 }),
      lane: CANARY,
    } as AtlasEvent;
    const refused = await atlas.log.append([bad].map(atlas.log.mask)).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "ATLAS_EVENT_INVALID" });
    clean(`${explain(refused)} ${(refused as Error).stack}`, "the error of a refused event");

    const { rows: tables } = await atlas.db.query<{ name: string }>(
      `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
        where schemaname in ('public', 'atlas_log')`,
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const { name } of tables) {
      const { rows } = await atlas.db.query<{ row: string }>(`select t::text as row from ${name} t`);
      for (const { row } of rows) clean(row, name);
    }
    const path = join(folder, "all.jsonl");
    await exportDataset(atlas, { output: path, filters: { reviewStatusFilters: "all", simulated: "all" } });
    const exported = readFileSync(path, "utf8");
    expect(exported).toContain("[atlas:redacted]");
    clean(exported, "the export");
  }
  for (const file of filesOf(home)) clean(readFileSync(file, "latin1"), file);
  clean([...told, ...letters].join("\n"), "warnings and dead letters");
  warn.mockRestore();
});

test("a secret across the place where a long content is cut is masked, as is what waits in the spool", async () => {
  const spool = join(folder, "spool");
  const seen: AtlasEvent[] = [];
  const log = {
    mask: maskingBy(createMask({ patterns: [CANARY] })),
    append: async () => {
      throw new AtlasError("ATLAS_LOG_UNREACHABLE", "no answer", { retryable: true });
    },
  };
  const flusher = createFlusher(log, { retryMs: 50, spool: { folder: spool, logId: "log" } });
  const sessionId = newId();
  const recorder = createRecorder({ flusher, sessionId, onEvent: (event) => void seen.push(event) });
  for (const { type, meta: _meta, ...draft } of planting(sessionId))
    recorder.emit(type, draft as unknown as Draft<EventType>);
  // Wherever it is cut, the cut is within a canary.
  recorder.emit("ToolCallEnded", { call_id: "c", name: "read", output: CANARY.repeat(100_000) });
  const failure = await recorder.flush().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "ATLAS_SPOOLED" });
  clean(`${explain(failure)} ${(failure as Error).stack}`, "the error of durable");
  clean(JSON.stringify(recorder.history()), "history");
  clean(JSON.stringify(seen), "onEvent");
  expect(seen.length).toBeGreaterThan(EVENT_TYPES.length);
  for (const file of filesOf(spool)) clean(readFileSync(file, "latin1"), file);
  const pieces = seen.filter((event) => event.type === "ContentContinued").map(({ text }) => text);
  expect(pieces.join("").replaceAll("[atlas:redacted]", "").length).toBeLessThan(200);
  await flusher.close();
});
