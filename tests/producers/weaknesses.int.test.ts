import { expect, test } from "vitest";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import { createFlusher } from "../../producers/flusher.ts";
import { openaiModel } from "../../producers/models/openai.ts";
import { runSession, type SessionOptions } from "../../producers/run-session.ts";
import { verdictCache } from "../../producers/verdict-cache.ts";
import { planningStudent, reviewingTeacher } from "./lanes.ts";
import { MemoryLog, names, only } from "./memory-log.ts";
import { json, startModelServer } from "./model-server.ts";
import { INVALID, RULES_HASH, run, startRoles, VALID } from "./sessions.ts";

const COACH = { lane: { forced: "coach" } } as const;
const SIDE_BY_SIDE = Array.from({ length: 6 }, (_, index) => ({
  id: index + 1,
  description: `part ${index + 1}`,
}));

test("steps, parallelism and synthesis are reached by an ordinary run", async () => {
  const roles = await startRoles({ student: planningStudent(SIDE_BY_SIDE), teacher: reviewingTeacher() });
  const { result, events } = await run({ ...roles, ...COACH });
  expect(result.finalAnswer).toBe("the whole");
  const firstEnd = names(events).indexOf("StepEnded");
  expect(names(events.slice(0, firstEnd)).filter((name) => name === "StepStarted")).toHaveLength(4);
});

test("the last attempt is validated, in every lane that validates", async () => {
  for (const options of [{}, { executionMode: "stepwise" as const }, COACH]) {
    const student = planningStudent([{ id: 1, description: "do it" }]);
    const roles = await startRoles({ student, teacher: reviewingTeacher({ accepts: () => false }) });
    const { result, events } = await run({ ...roles, ...options, maxRetries: 2 });
    expect(only(events, "StepValidated").map(({ verdict }) => verdict)).toEqual(Array(3).fill("invalid"));
    expect(only(events, "StepEnded")[0]?.status).toBe("failed");
    expect(result.status).toBe("failed");
  }
});

test("no retries does not mean no validation", async () => {
  const roles = await startRoles({ teacher: [INVALID] });
  const { result } = await run({ ...roles, maxRetries: 0 });
  expect(result.status).toBe("failed");
});

test("a model call, a step and a session each have a timeout", async () => {
  await using server = await startModelServer(() => {});
  const silent = openaiModel({
    model: "m",
    baseUrl: server.url,
    maxRetries: 0,
    timeoutMs: 200,
    provider: "local",
  });
  const patient = openaiModel({ model: "m", baseUrl: server.url, maxRetries: 0, provider: "local" });
  const roles = await startRoles();
  const call = await run({ ...roles, agent: modelAgent(silent) });
  expect(call.result.error?.code).toBe("ATLAS_MODEL_FAILED");
  const step = await run({ ...roles, agent: modelAgent(patient), stepTimeoutMs: 200 });
  expect(step.result.error?.message).toContain("step 1 took longer");
  const session = await run({ ...roles, agent: modelAgent(patient), deadlineMs: 200 });
  expect(session.result.error?.message).toContain("the session took longer");
  for (const { events } of [call, step, session])
    expect(only(events, "ModelCallEnded")[0]?.error).toMatch(/ATLAS_/);
});

test("a malformed reply of the teacher ends neither a review nor a validation", async () => {
  for (const broken of ["", "[1, 2]", '"yes"', '{"valid": "false", "steps": "none"}', "{"]) {
    const student = planningStudent([{ id: 1, description: "do it" }]);
    const roles = await startRoles({ student, teacher: [broken, '{"steps": []}', broken, VALID] });
    const { result } = await run({ ...roles, ...COACH });
    expect(result.status).toBe("succeeded");
    expect(roles.asked("teacher")).toHaveLength(4);
  }
});

test('"valid": "false" is no success', async () => {
  const roles = await startRoles({ teacher: ['{"valid": "false"}'] });
  expect((await run(roles)).result.status).toBe("failed");
});

test("events are recorded while the session goes, not after it", async () => {
  const seen: string[] = [];
  let before: string[] = [];
  const teacher = reviewingTeacher();
  const roles = await startRoles({
    teacher: (request, response) => {
      before = [...seen];
      return teacher(request, response);
    },
  });
  await run({ ...roles, onEvent: ({ type }) => seen.push(type) });
  expect(before).toContain("AttemptEnded");
  expect(before).not.toContain("SessionEnded");
});

test("a student's output is told to the teacher once, and bounded", async () => {
  const output = `needle ${"x".repeat(200_000)}`;
  const steps = [
    { id: 1, description: "first" },
    { id: 2, description: "second", depends_on: [1] },
  ];
  const student = planningStudent(steps, (step) => (step === "first" ? output : "short"));
  const roles = await startRoles({ student, teacher: reviewingTeacher() });
  await run({ ...roles, ...COACH });
  const [, first, second] = roles.asked("teacher").map(([, user]) => user!.content);
  expect(first!.split("needle")).toHaveLength(2);
  expect(second!.split("needle")).toHaveLength(2);
  for (const text of [first!, second!]) expect(text.length).toBeLessThan(60_000);
});

test("a verdict is remembered although guidance grows", async () => {
  const verdicts = verdictCache();
  const roles = await startRoles({ student: ["same"], teacher: [INVALID] });
  await run({ ...roles, maxRetries: 2, verdicts });
  expect(roles.asked("teacher")).toHaveLength(3);
  const { events } = await run({ ...roles, maxRetries: 2, verdicts });
  expect(only(events, "StepValidated").map(({ cached }) => cached)).toEqual([true, true, true]);
  expect(roles.asked("teacher")).toHaveLength(3);
});

test("a system prompt is sent once in a request", async () => {
  const roles = await startRoles({ student: planningStudent(SIDE_BY_SIDE), teacher: reviewingTeacher() });
  await run({ ...roles, ...COACH });
  for (const messages of roles.asked("student"))
    expect(messages.filter(({ role }) => role === "system")).toHaveLength(1);
});

test("one metadata object for many tasks does not pin their learning key, and is left alone", async () => {
  const roles = await startRoles();
  const metadata = { team: "a" };
  const triage = (task: string, given: Readonly<Record<string, unknown>>) => {
    Object.assign(given, { learning_key: "pinned" });
    return { task, summary: task };
  };
  const first = await run({ ...roles, task: "one", metadata, triage });
  const second = await run({ ...roles, task: "two", metadata, triage });
  expect(first.result.learningKey).not.toBe(second.result.learningKey);
  expect(metadata).toEqual({ team: "a" });
});

test("a judge that fails leaves no score, and not the score 0", async () => {
  for (const judge of [
    ["[]"],
    (_: unknown, response: Parameters<typeof json>[0]) => json(response, {}, 500),
  ]) {
    const roles = await startRoles({ judge });
    const { result, events } = await run(roles);
    expect(result.reward).toBeUndefined();
    expect(only(events, "JudgementMade")).toEqual([]);
  }
});

test("calls of steps that run side by side keep to their step", async () => {
  const student = planningStudent(SIDE_BY_SIDE, async (step) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return `<${step}>`;
  });
  const roles = await startRoles({ student, teacher: reviewingTeacher() });
  const { events } = await run({ ...roles, ...COACH, concurrency: 6 });
  for (const { id, description } of SIDE_BY_SIDE) {
    const calls = only(events, "ModelCallEnded").filter(({ step_id }) => step_id === id);
    expect(calls.map(({ role }) => role)).toEqual(["student", "teacher"]);
    expect(calls[0]?.content).toBe(`<${description}>`);
  }
});

test.each<[string, Partial<SessionOptions>]>([
  ["lane.forced", { lane: { forced: "solo" as never } }],
  ["lane.thresholds.auto", { lane: { thresholds: { auto: 0.5 } } }],
  ["lane.thresholds", { lane: { thresholds: { auto: 2 } } }],
  ["lane.historyLimit", { lane: { historyLimit: 0 } }],
  ["concurrency", { concurrency: 0 }],
  ["stepTimeoutMs", { stepTimeoutMs: -1 }],
  ["executionMode", { executionMode: "parallel" as never }],
])("a wrong %s is refused, not ignored", async (name, options) => {
  const roles = await startRoles();
  const flusher = createFlusher(new MemoryLog());
  const running = runSession({ task: "t", flusher, rulesHash: RULES_HASH, ...roles, ...options });
  await expect(running).rejects.toMatchObject({
    code: "ATLAS_RUN_INVALID",
    message: expect.stringContaining(name),
  });
});
