import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EmbeddedDatabase, openEmbedded } from "../../database/embedded/open-embedded.ts";
import { isAtlasError } from "../../errors/atlas-error.ts";
import type { EventLog } from "../../log/event-log.ts";
import { openPostgresLog } from "../../log/postgres/open-postgres-log.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { runSession } from "../../producers/run-session.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { createFlusher } from "../../recording/flusher.ts";
import { createRecorder } from "../../recording/recorder.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { newId } from "../../schemas/identity.ts";
import { foldSession } from "../../traces/fold.ts";
import { recordsOf } from "../as-readers.ts";
import { only } from "../recording/memory-log.ts";
import { checkSession } from "./session-checks.ts";
import { RULES_HASH } from "./sessions.ts";

const folder = mkdtempSync(join(tmpdir(), "atlas-sessions-"));
const model = simulatedModel({ latencyMs: 1 });
let db: EmbeddedDatabase;
let log: EventLog;

beforeAll(async () => {
  db = await openEmbedded(folder);
  log = await openPostgresLog({ db, embedded: true });
});
afterAll(async () => {
  await log.close();
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

async function bySession(): Promise<Map<string, AtlasEvent[]>> {
  const sessions = new Map<string, AtlasEvent[]>();
  for (const { event, key } of await recordsOf(log, ["atlas.sessions"]))
    sessions.set(key, [...(sessions.get(key) ?? []), event]);
  return sessions;
}

test("what durable confirmed of fifty sessions at once is read back from the log, whole and in order", async () => {
  const flusher = createFlusher(log);
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, n) => {
      const agent = functionAgent(async (task, _input, ctx) =>
        ctx.tool("echo", { task }, ({ task: text }) => text),
      );
      return runSession({
        task: `task ${n}`,
        agent,
        teacher: model,
        judge: model,
        flusher,
        rulesHash: RULES_HASH,
        learningKey: "durable",
      });
    }),
  );
  await Promise.all(results.map(({ durable }) => durable));
  const sessions = await bySession();
  for (const [n, { sessionId, status, reward }] of results.entries()) {
    const events = sessions.get(sessionId) ?? [];
    checkSession(events);
    const trace = foldSession(events);
    expect(trace).toMatchObject({ status, final_answer: `task ${n}`, incomplete: false });
    expect(trace.judgements[0]?.score).toBe(reward?.score);
    expect(only(events, "ToolCallEnded")[0]?.output).toBe(`task ${n}`);
  }
});

test("a tool result of 20 MB is in the log as it was", async () => {
  const output = `${"größer ".repeat(3 * 1024 * 1024)}end`;
  const recorder = createRecorder({ log, sessionId: newId() });
  recorder.emit("SessionStarted", { task: "read", learning_key: "durable", agent: "mine" });
  recorder.emit("ToolCallEnded", { call_id: "c", name: "read", output });
  recorder.emit("SessionEnded", { learning_key: "durable", status: "succeeded" });
  await recorder.flush();
  const trace = foldSession((await bySession()).get(recorder.sessionId) ?? []);
  expect(trace).toMatchObject({ incomplete: false, status: "succeeded" });
  expect(only(trace.events, "ToolCallEnded")[0]?.output === output).toBe(true);
});

test("an event that does not fit its schema costs itself and nothing else, and durable says so", async () => {
  const flusher = createFlusher(log);
  const [bad, good] = [newId(), newId()].map((sessionId) => createRecorder({ flusher, sessionId }));
  for (const recorder of [bad!, good!]) {
    recorder.emit("SessionStarted", { task: "t", learning_key: "durable", agent: "mine" });
  }
  bad!.emit("SessionEnded", { learning_key: "durable", status: "exploded" });
  for (const recorder of [bad!, good!]) recorder.emit("StepSkipped", { step_id: 1, reason: "because" });
  const failure = await bad!.flush().catch((error: unknown) => error);
  expect(isAtlasError(failure, "ATLAS_EVENT_INVALID")).toBe(true);
  expect((failure as Error).message).toMatch(/^1 of 3 events .*status is "exploded"/);
  await good!.flush();
  const sessions = await bySession();
  expect(sessions.get(bad!.sessionId)?.map(({ meta }) => meta.sequence)).toEqual([1, 3]);
  expect(sessions.get(good!.sessionId)?.map(({ meta }) => meta.sequence)).toEqual([1, 2]);
  expect(foldSession(sessions.get(bad!.sessionId)!).incomplete).toBe(true);
});

test("a log that was closed loses what comes after, and durable says how much", async () => {
  const closed = await openPostgresLog({ db, embedded: true });
  const recorder = createRecorder({ log: closed, sessionId: newId() });
  recorder.emit("SessionStarted", { task: "t", learning_key: "durable", agent: "mine" });
  await recorder.flush();
  await closed.close();
  recorder.emit("StepSkipped", { step_id: 1, reason: "because" });
  const failure = await recorder.flush().catch((error: unknown) => error);
  expect(isAtlasError(failure, "ATLAS_LOG_CLOSED")).toBe(true);
  expect((failure as Error).message).toMatch(/^1 of 2 events/);
});
