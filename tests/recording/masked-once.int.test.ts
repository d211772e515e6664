import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { decisionsOn } from "../../app/api/reviews.ts";
import { type Atlas, openAtlas } from "../../app/open-atlas.ts";
import { reap } from "../../app/reaper.ts";
import { rescore } from "../../derivation/rescore/rescore.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { listSessions } from "../../projections/session-summaries.ts";
import { createFlusher } from "../../recording/flusher.ts";
import { createMask } from "../../recording/masking/create-mask.ts";
import { createRecorder } from "../../recording/recorder.ts";
import { drainSpools } from "../../recording/spool/drain-spools.ts";
import type { AtlasEvent, EventType, Uuid } from "../../schemas/generated/events.ts";
import { newId } from "../../schemas/identity.ts";
import { DEFAULT_RULES } from "../../schemas/rules.ts";
import { TOPICS } from "../../schemas/topics.ts";
import { foldSession } from "../../traces/fold.ts";
import { reply } from "../judges/judge-server.ts";
import { completion, json, type ModelServer, startModelServer } from "../models/model-server.ts";

const folder = mkdtempSync(join(tmpdir(), "atlas-once-"));
/** Texts that come from outside, in fields that no vocabulary binds. */
const FIELDS = ["task", "learning_key", "reason", "note", "author", "output", "error", "rationale"];
/** How often the mask was shown each event. */
const shown = new Map<Uuid, number>();
let atlas: Atlas;
let judge: ModelServer;

beforeAll(async () => {
  // A mask that changes its own results: whatever meets it twice shows.
  const changing = createMask({ custom: (text, { field }) => (FIELDS.includes(field) ? `${text}'` : text) });
  judge = await startModelServer((_request, response) =>
    json(response, completion(reply({ score: 0.7, rationale: "fine" }))),
  );
  const smallModel = {
    provider: "openai" as const,
    model: "small",
    baseUrl: judge.url,
    apiKeyEnv: "PATH",
    retries: 0,
  };
  atlas = await openAtlas(
    {
      log: { kind: "embedded", path: join(folder, "home") },
      judges: {
        mode: "deferred",
        smallModel,
        temperatures: [0.2],
        list: [{ name: "process" }],
      },
    },
    {
      mask: (event) => {
        shown.set(event.meta.event_id, (shown.get(event.meta.event_id) ?? 0) + 1);
        return changing(event);
      },
    },
  );
}, 60_000);
afterAll(async () => {
  await atlas?.close();
  await judge[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Everything that the log holds, or all of some types. */
async function held(...types: EventType[]): Promise<AtlasEvent[]> {
  const events: AtlasEvent[] = [];
  for await (const batch of atlas.log.read(TOPICS)) for (const { event } of batch) events.push(event);
  return types.length === 0 ? events : events.filter(({ type }) => types.includes(type));
}

const started = async (id: Uuid): Promise<AtlasEvent | undefined> =>
  (await held("SessionStarted")).find(({ meta }) => meta.session_id === id);

const recorded = (recorder: ReturnType<typeof createRecorder>, deadline: number | null = null): void => {
  recorder.emit("SessionStarted", { task: "t", learning_key: "k", agent: "mine", deadline });
};

test("a run, with a content in parts, that is judged later", async () => {
  const result = await atlas.run({
    task: "t",
    learningKey: "k",
    agent: functionAgent(async (_task, _input, ctx) => {
      await ctx.tool("read", {}, () => "x".repeat(600_000));
      return "done";
    }),
    teacher: simulatedModel({ latencyMs: 1 }),
  });
  await result.durable;
  expect(result.learningKey).toBe("k'");
  expect(await started(result.sessionId)).toMatchObject({ task: "t'", learning_key: "k'" });
  const own = (await held()).filter(({ meta }) => meta.source === result.sessionId);
  const output = foldSession(own).events.find((event) => event.type === "ToolCallEnded")?.output;
  expect(output).toBe(`${"x".repeat(600_000)}'`);
});

test("what deferred judges say", async () => {
  await vi.waitFor(async () => expect(await held("SessionJudged")).toHaveLength(1), { timeout: 30_000 });
  expect(await held("JudgementMade", "SessionJudged")).toMatchObject([
    { judge: "process", rationale: "fine'" },
    { learning_key: "k'" },
  ]);
});

test("what waited in the spool, of this process and of one that is gone", async () => {
  const spool = join(folder, "spool");
  let away = true;
  const log = {
    mask: atlas.log.mask,
    append: async (events: Parameters<typeof atlas.log.append>[0]) => {
      if (away) throw new AtlasError("ATLAS_LOG_UNREACHABLE", "no answer", { retryable: true });
      await atlas.log.append(events);
    },
  };
  const flusher = createFlusher(log, { spool: { folder: spool, logId: atlas.log.id } });
  const recorder = createRecorder({ flusher, sessionId: newId() });
  recorded(recorder);
  const flushed = recorder.flush();
  await vi.waitFor(() => expect(flusher.spooled).toBe(1), { timeout: 20_000 });
  away = false;
  await flushed;
  expect(await started(recorder.sessionId)).toMatchObject({ task: "t'", learning_key: "k'" });

  away = true;
  const gone = createFlusher(log, { spool: { folder: spool, logId: atlas.log.id } });
  const left = createRecorder({ flusher: gone, sessionId: newId() });
  recorded(left);
  left.flush().catch(() => undefined);
  await vi.waitFor(() => expect(gone.spooled).toBe(1), { timeout: 20_000 });
  await gone.close();
  away = false;
  await flusher.close();
  expect(await drainSpools(spool, atlas.log)).toMatchObject({ events: 1, files: 1 });
  expect(await started(left.sessionId)).toMatchObject({ task: "t'", learning_key: "k'" });
});

test("an import, and a migration with what was decided", async () => {
  const runs = join(folder, "runs.jsonl");
  const messages = [
    { role: "user", content: "imported" },
    { role: "assistant", content: "done" },
  ];
  writeFileSync(runs, JSON.stringify({ task: "imported", messages, reward: 1 }));
  expect(await atlas.sessions.import({ files: [runs], learningKey: "k" })).toMatchObject({
    sessions: 1,
    malformed: 0,
  });
  const old = join(folder, "old.jsonl");
  const review = { review_status: "approved", review_notes: "migrated" };
  const session_metadata = { status: "succeeded", learning_key: "k", ...review };
  writeFileSync(old, JSON.stringify({ task: "migrated", final_answer: "done", steps: [], session_metadata }));
  expect(await atlas.sessions.migrate({ from: { file: old } })).toMatchObject({ sessions: 1, problems: [] });
  expect(await held("ReviewDecided")).toMatchObject([{ learning_key: "k'", note: "migrated'" }]);
  const events = await held("SessionStarted");
  expect(
    events.filter((event) => event.type === "SessionStarted" && event.task === "imported'"),
  ).toHaveLength(1);
});

test("decisions of people, on sessions as the log has them", async () => {
  await atlas.settled();
  const sessions = await listSessions(atlas.db, { limit: 2 });
  expect(sessions).toHaveLength(2);
  await atlas.log.append(decisionsOn(atlas.log, sessions, "approved", { author: "ann", note: "good" }));
  await atlas.sessions.erase(sessions[0]!.sessionId, { author: "ann", reason: "asked" });
  expect(
    (await held("ReviewDecided", "SessionErased")).filter(({ meta }) => !meta.time_assumed),
  ).toMatchObject([
    { learning_key: "k'", author: "ann'", note: "good'" },
    { learning_key: "k'", author: "ann'", note: "good'" },
    { learning_key: "k'", author: "ann'", reason: "asked'" },
  ]);
});

test("a record that is set aside, and its retry", async () => {
  let poisoned = true;
  const consumer = await atlas.log.consume({ group: "own", topics: ["atlas.decisions"] }, async (batch) => {
    if (poisoned && batch.some(({ event }) => event.type === "ReviewDecided")) throw new Error("cannot");
  });
  await atlas.log.caughtUp("own", await atlas.log.ends(["atlas.decisions"]));
  poisoned = false;
  const retried = await atlas.deadLetters.retry({ author: "ann", consumers: { own: async () => undefined } });
  expect(retried.map(({ status }) => status)).toContain("applied");
  await consumer.stop();
  const letters = await held("DeadLettered", "DeadLetterRetried");
  expect(new Set(letters.map(({ type }) => type))).toEqual(new Set(["DeadLettered", "DeadLetterRetried"]));
  for (const letter of letters) {
    const own = letter.type === "DeadLettered" ? { error: "cannot'" } : { author: "ann'" };
    expect(letter).toMatchObject({ ...own, learning_key: "k'", group: "own" });
  }
});

test("a session that is past its deadline", async () => {
  const recorder = createRecorder({ log: atlas.log, sessionId: newId() });
  recorded(recorder, 1);
  await recorder.flush();
  await atlas.settled();
  const partitions = Array.from({ length: atlas.log.partitions }, (_, index) => index);
  expect(await reap(atlas.log, { now: 2, partitions })).toEqual([recorder.sessionId]);
  expect(await held("SessionAbandoned")).toMatchObject([
    { learning_key: "k'", reason: expect.stringMatching(/[^']'$/) },
  ]);
});

test("what is derived is made of masked facts, and meets no mask", async () => {
  await rescore(atlas.log, { rubric: { ...DEFAULT_RULES.rubric, aggregation: "min" }, branch: "other" });
  await atlas.settled();
  const derived = (await held()).filter(({ meta }) => meta.derivation != null);
  expect(new Set(derived.map(({ type }) => type))).toEqual(
    new Set(["SessionRewarded", "DriftAssessed", "ReviewStatusChanged"]),
  );
  for (const event of derived) expect(event).toMatchObject({ learning_key: "k'" });
});

test("every event of the log but parts and what is derived was shown to the mask, once", async () => {
  for (const { type, meta } of await held()) {
    const times = type === "ContentContinued" || meta.derivation != null ? undefined : 1;
    expect(shown.get(meta.event_id), type).toBe(times);
  }
});
