import { expect, test } from "vitest";
import { isAtlasError } from "../../errors/atlas-error.ts";
import { defineAgent } from "../../producers/agents/agent.ts";
import { runSession } from "../../producers/run-session.ts";
import { createFlusher } from "../../recording/flusher.ts";
import type { Answer } from "../models/model-server.ts";
import { MemoryLog, only } from "../recording/memory-log.ts";
import { RULES_HASH, run, startRoles } from "./sessions.ts";

/** Never answers; tells when it was asked. */
function silent(onAsked: () => void): Answer {
  return () => onAsked();
}

test.each(["student", "teacher"] as const)(
  "a run cancelled while the %s thinks ends at once as cancelled",
  async (role) => {
    const controller = new AbortController();
    const roles = await startRoles({ [role]: silent(() => controller.abort()) });
    const { result, events } = await run({ ...roles, signal: controller.signal });
    expect(result.status).toBe("cancelled");
    expect(isAtlasError(result.error, "ATLAS_CANCELLED")).toBe(true);
    expect(result.reward).toBeUndefined();
    expect(only(events, "SessionEnded")[0]?.status).toBe("cancelled");
    expect(only(events, "StepEnded")[0]?.status).toBe("cancelled");
    expect(only(events, "AttemptEnded")[0]?.status).toBe(role === "student" ? "cancelled" : "completed");
    expect(only(events, "ModelCallEnded").at(-1)?.error).toContain("ATLAS_CANCELLED");
    expect(events.at(-1)).toMatchObject({ judgements: [], missing: ["session_reward"] });
    expect(roles.asked("judge")).toEqual([]);
  },
);

test("a run cancelled while it is judged has succeeded, and has no reward", async () => {
  const controller = new AbortController();
  const roles = await startRoles({ judge: silent(() => controller.abort()) });
  const { result, events } = await run({ ...roles, signal: controller.signal });
  expect(result.status).toBe("succeeded");
  expect(result.reward).toBeUndefined();
  expect(only(events, "JudgementFailed")[0]?.reason).toContain("ATLAS_CANCELLED");
});

test("a run that was cancelled before it began is a cancelled session", async () => {
  const roles = await startRoles();
  const { result } = await run({ ...roles, signal: AbortSignal.abort() });
  expect(result.status).toBe("cancelled");
  expect(roles.asked("student")).toEqual([]);
});

test("a session past its deadline fails, also when its agent listens to nobody, and is judged", async () => {
  const roles = await startRoles();
  const deaf = defineAgent({ name: "deaf", invoke: () => new Promise<string>(() => {}) });
  const { result, events } = await run({ ...roles, agent: deaf, deadlineMs: 50 });
  expect(result.status).toBe("failed");
  expect(isAtlasError(result.error, "ATLAS_DEADLINE_PASSED")).toBe(true);
  expect(only(events, "AttemptEnded")[0]).toMatchObject({ status: "failed" });
  expect(result.reward?.score).toBe(0.8);
  const [started] = only(events, "SessionStarted");
  expect(started!.deadline! - started!.meta.occurred_at).toBeGreaterThan(50_000);
});

test("an agent that goes on after the run was cancelled records nothing more", async () => {
  const roles = await startRoles();
  const controller = new AbortController();
  let late: unknown;
  const [over, finished] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const stubborn = defineAgent({
    name: "stubborn",
    async invoke(_, ctx) {
      controller.abort();
      await over.promise;
      late = await ctx.tool("search", {}, () => "found").catch((error: unknown) => error);
      finished.resolve();
      return "too late";
    },
  });
  const { result, events } = await run({ ...roles, agent: stubborn, signal: controller.signal });
  over.resolve();
  await finished.promise;
  expect(result.status).toBe("cancelled");
  expect(isAtlasError(late, "ATLAS_AGENT_FAILED")).toBe(true);
  expect(only(events, "ToolCallStarted")).toEqual([]);
});

test("a log that is gone costs a run its durability, not its result", async () => {
  const roles = await startRoles();
  const log = new MemoryLog();
  log.before = () => {
    throw new Error("gone");
  };
  const flusher = createFlusher(log, { retryMs: 50 });
  const result = await runSession({ ...roles, task: "Say hello", flusher, rulesHash: RULES_HASH });
  expect(result).toMatchObject({ status: "succeeded", reward: { score: 0.8 } });
  const failure = await result.durable.catch((error: unknown) => error);
  expect(isAtlasError(failure, "ATLAS_SPOOL_FAILED")).toBe(true);
  expect((failure as Error).message).toMatch(/^20 of 20 events of the session were lost: gone$/);
});

test.each([
  [{ task: "  " }, /needs a task/],
  [{ maxRetries: 1.5 }, /maxRetries/],
  [{ deadlineMs: 0 }, /deadlineMs/],
])("options that cannot be meant (%j) are refused before anything happens", async (options, message) => {
  const roles = await startRoles();
  const log = new MemoryLog();
  const flusher = createFlusher(log);
  const failure = await runSession({ ...roles, task: "t", flusher, rulesHash: RULES_HASH, ...options }).catch(
    (error: unknown) => error,
  );
  expect(isAtlasError(failure, "ATLAS_RUN_INVALID")).toBe(true);
  expect((failure as Error).message).toMatch(message);
  expect(log.batches).toEqual([]);
});
