import { expect, test } from "vitest";
import { loadConfig } from "../../configs/load-config.ts";
import { isAtlasError } from "../../errors/atlas-error.ts";
import { importRecorded } from "../../intake/import/import-recorded.ts";
import { readOldSession } from "../../intake/migration/old-session.ts";
import { toOutgoing } from "../../log/outgoing.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { runSession } from "../../producers/run-session.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { createFlusher } from "../../recording/flusher.ts";
import { createRecorder } from "../../recording/recorder.ts";
import { createEvent } from "../../schemas/codec.ts";
import { newId } from "../../schemas/identity.ts";
import { learningKeyProblem } from "../../schemas/learning-key.ts";
import { type Mask, maskingBy } from "../../schemas/masked.ts";
import { toTrajectoryEvent } from "../../traces/trajectory-event.ts";
import { traceGiven } from "../../worker/score/given-trace.ts";
import { readRow } from "../intake/import/recorded-rows.ts";
import { fact } from "../log/facts.ts";
import { MemoryLog } from "../recording/memory-log.ts";

const BAD: [string, string][] = [
  ["", "is empty"],
  [" \t", "is empty"],
  ["key\0x", "holds a control character"],
  ["a\nb", "holds a control character"],
  ["x\ud83d", "holds half a surrogate pair"],
  ["k".repeat(513), "is longer than 512 characters"],
];
const GOOD = ["k", "code review", "k".repeat(512), "🦉".repeat(512)];

const startedWith = (learning_key: string) =>
  createEvent("SessionStarted", fact(newId(), 1).meta, { task: "t", learning_key, agent: "a" });

const row = (learning_key: string): string =>
  JSON.stringify({
    messages: [
      { role: "user", content: "2 + 2?" },
      { role: "assistant", content: "4" },
    ],
    metadata: { learning_key },
  });

const oldSession = (learning_key: string): string =>
  JSON.stringify({ task: "t", final_answer: "a", session_metadata: { learning_key, status: "succeeded" } });

/** The ways by which a key comes in, each with what it says of a key that is none. */
const DOORS: Record<string, (key: string) => unknown> = {
  run: async (learningKey) => {
    const log = new MemoryLog();
    const model = simulatedModel();
    const roles = { agent: functionAgent(() => "a", { name: "f" }), teacher: model, judge: model };
    const run = { ...roles, task: "t", flusher: createFlusher(log), rulesHash: "", learningKey };
    await runSession(run).catch((error: unknown) => {
      expect(log.batches).toEqual([]);
      throw error;
    });
  },
  recorder: (learning_key) =>
    createRecorder({ log: new MemoryLog(), sessionId: newId() }).emit("SessionStarted", {
      task: "t",
      learning_key,
      agent: "a",
    }),
  append: (key) => toOutgoing([maskingBy()(startedWith(key))], 1),
  import: (learningKey) =>
    importRecorded({ files: [], learningKey, rulesHash: "", log: new MemoryLog() as never }),
};

test.each(Object.entries(DOORS))("%s takes a learning key by the one rule", async (_door, give) => {
  for (const [key, problem] of BAD) {
    const error = await (async () => give(key))().catch((thrown: unknown) => thrown);
    expect(isAtlasError(error, "ATLAS_LEARNING_KEY_INVALID")).toBe(true);
    expect((error as Error).message).toBe(`the learning key ${problem}`);
  }
  for (const key of GOOD) await give(key);
});

test.each([...BAD.keys()])("so do files, lines and requests (%i)", (index) => {
  const [key, problem] = BAD[index]!;
  expect(() => loadConfig({ learningKey: key })).toThrow(
    expect.objectContaining({
      code: "ATLAS_CONFIG_INVALID",
      message: expect.stringContaining(key === "" ? "must not be empty" : problem),
    }),
  );
  // Nothing is no key, and one is made.
  if (key !== "") {
    const { found, notes } = readRow(row(key));
    expect(found?.conversation.learningKey).toBeUndefined();
    if (key !== "") expect(notes.join()).toContain("learning_key");
    expect(readOldSession(oldSession(key))).toBe(`its learning key ${problem}`);
  }
  const given = { task: "t", trajectory_events: [{ event: toTrajectoryEvent(startedWith(key)) }] };
  expect(() => traceGiven(given as never, { mask: maskingBy(), maxSteps: 9 })).toThrow(
    expect.objectContaining({
      code: "ATLAS_REQUEST_INVALID",
      message: `trace.trajectory_events: the learning key ${problem}`,
    }),
  );
});

test.each([...GOOD.keys()])("what is one is taken (%i)", (index) => {
  const key = GOOD[index]!;
  expect(learningKeyProblem(key)).toBeUndefined();
  expect(loadConfig({ learningKey: key }).learningKey).toBe(key);
  expect(readRow(row(key)).found?.conversation.learningKey).toBe(key);
});

test("a mask that makes no key of one is named as the fault", () => {
  const mask: Mask = (event) => ({ ...event, learning_key: "k".repeat(600) }) as never;
  expect(() => maskingBy(mask)(startedWith("k"))).toThrow(
    expect.objectContaining({
      code: "ATLAS_MASK_FAILED",
      message: "the learning key that the mask returned is longer than 512 characters",
    }),
  );
});

test("no record comes into a log whose key or source no database holds", () => {
  const event = fact("a", 1);
  const refused = (field: string) =>
    expect.objectContaining({
      code: "ATLAS_EVENT_INVALID",
      message: expect.stringMatching(`the ${field} of .* holds a NUL character`),
    });
  const put = (meta: object) => toOutgoing([maskingBy()({ ...event, meta: { ...event.meta, ...meta } })], 1);
  expect(() => put({ source: "s\0x" })).toThrow(refused("source"));
  const decided = { learning_key: "k\0x", decision: "approved", author: "me" };
  expect(() => toOutgoing([maskingBy()(createEvent("ReviewDecided", event.meta, decided))], 1)).toThrow(
    refused("key"),
  );
  expect(put({ source: "s" })).toHaveLength(1);
});
