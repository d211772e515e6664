import { expect, test } from "vitest";
import { z } from "zod";
import { openaiModel } from "../../models/openai.ts";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import { openaiAgent } from "../../producers/agents/openai-agent.ts";
import { runSession, type SessionOptions } from "../../producers/run-session.ts";
import { defineTool } from "../../producers/tools/tool.ts";
import { verdictCache } from "../../producers/verdict-cache.ts";
import { createFlusher } from "../../recording/flusher.ts";
import { completion, json, startModelServer } from "../models/model-server.ts";
import { MemoryLog, names, only } from "../recording/memory-log.ts";
import { planningStudent, reviewingTeacher } from "./lanes.ts";
import { INVALID, RULES_HASH, run, SCORE, startRoles, VALID } from "./sessions.ts";

const COACH = { lane: { forced: "coach" } } as const;
const SIDE_BY_SIDE = Array.from({ length: 6 }, (_, index) => ({
  id: index + 1,
  description: `part ${index + 1}`,
}));

test("a tool is executed by its function, and the model sees its own request and the result", async () => {
  const roles = await startRoles();
  const call = { id: "a", type: "function", function: { name: "add", arguments: '{"a":2,"b":3}' } };
  await using server = await startModelServer(({ body }, response) =>
    json(
      response,
      (body["messages"] as unknown[]).length === 1
        ? completion(null, { tool_calls: [call] })
        : completion("it is 5"),
    ),
  );
  const add = defineTool({
    name: "add",
    parameters: z.object({ a: z.number(), b: z.number() }),
    run: ({ a, b }) => a + b,
  });
  const agent = openaiAgent({ model: "m", baseUrl: server.url, tools: [add] });
  const { result, events } = await run({ ...roles, agent });
  expect(result).toMatchObject({ status: "succeeded", finalAnswer: "it is 5" });
  expect(server.requests).toHaveLength(2);
  expect(server.requests[1]!.body["messages"]).toEqual([
    { role: "user", content: "Say hello" },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "a", content: "5" },
  ]);
  expect(only(events, "ToolCallEnded")).toMatchObject([{ name: "add", output: "5", error: null }]);
});

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
  expect(call.result.error?.code).toBe("ATLAS_MODEL_UNAVAILABLE");
  const step = await run({ ...roles, agent: modelAgent(patient), stepTimeoutMs: 200 });
  expect(step.result.error?.message).toContain("step 1 took longer");
  const session = await run({ ...roles, agent: modelAgent(patient), deadlineMs: 200 });
  expect(session.result.error?.message).toContain("the session took longer");
  for (const { events } of [call, step, session])
    expect(only(events, "ModelCallEnded")[0]?.error).toMatch(/ATLAS_/);
});

test("a model's call is tried again, for the student, the teacher and the judge alike", async () => {
  const replies: Record<string, string> = { student: "hello", teacher: VALID, judge: SCORE };
  const failed = new Set<unknown>();
  await using server = await startModelServer(({ body }, response) => {
    const role = String(body["model"]);
    if (failed.has(role)) return json(response, completion(replies[role]!));
    failed.add(role);
    json(response, {}, 503, { "retry-after-ms": "1" });
  });
  const model = (name: string) => openaiModel({ model: name, baseUrl: server.url, provider: "local" });
  const [teacher, judge] = [model("teacher"), model("judge")];
  const { result, events } = await run({ agent: modelAgent(model("student")), teacher, judge });
  expect(result).toMatchObject({ status: "succeeded", reward: { score: 0.8 } });
  expect(only(events, "ModelCallEnded").map(({ role, tries }) => [role, tries])).toEqual([
    ["student", 2],
    ["teacher", 2],
    ["judge", 2],
  ]);
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

test("a log that fails neither loses the answer nor hides why a run failed", async () => {
  for (const [student, expected] of [
    [["an answer"], { status: "succeeded", finalAnswer: "an answer" }],
    [
      (_: unknown, response: Parameters<typeof json>[0]) => json(response, {}, 400),
      { status: "failed", error: { code: "ATLAS_MODEL_FAILED" } },
    ],
  ] as const) {
    const roles = await startRoles({ student });
    const log = new MemoryLog();
    log.before = () => {
      throw new Error("disk on fire");
    };
    const flusher = createFlusher(log, { retryMs: 20 });
    const result = await runSession({ task: "t", ...roles, flusher, rulesHash: RULES_HASH });
    expect(result).toMatchObject(expected);
    await expect(result.durable).rejects.toThrow(/disk on fire/);
    await flusher.close();
  }
});

test("events reach the log in batches, and none twice", async () => {
  const roles = await startRoles({ student: planningStudent(SIDE_BY_SIDE), teacher: reviewingTeacher() });
  const { events, log } = await run({ ...roles, ...COACH });
  expect(log.batches.length).toBeLessThan(events.length / 2);
  expect(log.batches.flat()).toHaveLength(events.length);
});

test("a student is told all of the guidance that its attempt is recorded with", async () => {
  const notes = ["say it in French", "say it twice", "say it louder"];
  const teacher = notes.map((guidance) => JSON.stringify({ valid: false, guidance }));
  const roles = await startRoles({ teacher: [...teacher, VALID] });
  const { result, events } = await run({ ...roles, maxRetries: 3 });
  expect(result.status).toBe("succeeded");
  const asked = roles.asked("student").map((messages) => messages.at(-1)!.content);
  for (const { attempt, guidance } of only(events, "AttemptStarted")) {
    expect(guidance).toEqual(notes.slice(0, attempt - 1));
    for (const note of guidance) expect(asked[attempt - 1]).toContain(note);
  }
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

test("what a model thinks stays with its own call, also where steps run side by side", async () => {
  const answers = planningStudent(SIDE_BY_SIDE, async (step) => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    return step;
  });
  const roles = await startRoles({
    student: (request, response) => {
      const end = response.end.bind(response);
      response.end = ((text: string) => {
        const reply = JSON.parse(text) as ReturnType<typeof completion>;
        const [choice] = reply.choices;
        Object.assign(choice!.message, { reasoning_content: `thinking of ${choice!.message.content}` });
        return end(JSON.stringify(reply));
      }) as typeof response.end;
      return answers(request, response);
    },
    teacher: reviewingTeacher(),
  });
  const { events } = await run({ ...roles, ...COACH, concurrency: 6 });
  for (const { content, reasoning } of only(events, "ModelCallEnded").filter(
    ({ role }) => role === "student",
  ))
    expect(reasoning).toBe(`thinking of ${content}`);
});

test("a probe without its key costs the choice of the lane, not the session", async () => {
  const roles = await startRoles();
  const probe = openaiModel({ model: "p", baseUrl: roles.url, apiKeyEnv: "ATLAS_TEST_NO_SUCH_KEY" });
  const history = async () => [{ score: 0.9 }];
  const { result, events } = await run({ ...roles, history, lane: { probe, fallback: "auto" } });
  expect(result).toMatchObject({ status: "succeeded", lane: "auto" });
  expect(only(events, "LaneSelected")[0]).toMatchObject({
    reason: "probe_failed",
    probe: expect.stringContaining("ATLAS_TEST_NO_SUCH_KEY"),
  });
});

test("the task is described, then put into a lane, then planned and reviewed, then worked on", async () => {
  const roles = await startRoles({ student: planningStudent(SIDE_BY_SIDE), teacher: reviewingTeacher() });
  const probe = openaiModel({ model: "teacher", baseUrl: roles.url, provider: "local", maxRetries: 0 });
  const triage = (task: string) => ({ task, summary: "difficult" });
  const history = async () => [{ score: 0.9 }];
  const { events } = await run({ ...roles, triage, history, lane: { probe, fallback: "coach" } });
  const told = names(events).filter((name) =>
    ["SessionStarted", "TaskTriaged", "LaneSelected", "PlanProposed", "PlanReviewed"].includes(name),
  );
  expect(told).toEqual(["SessionStarted", "TaskTriaged", "LaneSelected", "PlanProposed", "PlanReviewed"]);
  expect(names(events).indexOf("StepStarted")).toBeGreaterThan(names(events).indexOf("PlanReviewed"));
  const [, asked] = roles.asked("teacher")[0]!;
  expect(JSON.parse(asked!.content)).toMatchObject({ dossier: { summary: "difficult" } });
});

test("no teacher is asked in the lane auto, in either mode", async () => {
  for (const executionMode of ["single_shot", "stepwise"] as const) {
    const roles = await startRoles({ student: planningStudent(SIDE_BY_SIDE) });
    const { result } = await run({ ...roles, lane: { forced: "auto" }, executionMode });
    expect(result.status).toBe("succeeded");
    expect(roles.asked("teacher")).toEqual([]);
  }
});

test("token ids, logprobs and the model that answered are in the events where a server tells them", async () => {
  const { choices, ...rest } = completion("hi");
  const told = { token_ids: [7, 8], logprobs: { content: [{ token: "hi", logprob: -0.5 }] } };
  const roles = await startRoles({
    student: (_, response) =>
      json(response, { ...rest, choices: [{ ...choices[0], ...told }], prompt_token_ids: [1, 2] }),
  });
  const { events } = await run(roles);
  const [student, teacher] = only(events, "ModelCallEnded");
  expect(student?.model).toBe("served-model-2");
  expect(JSON.parse(student?.token_ids ?? "")).toEqual({ prompt: [1, 2], completion: [7, 8] });
  expect(JSON.parse(student?.logprobs ?? "")).toEqual(told.logprobs);
  expect([teacher?.token_ids, teacher?.logprobs]).toEqual([null, null]);
});

test("the executor's system prompt and the ground truth are in the events, and the latter in no prompt", async () => {
  const roles = await startRoles();
  const { events } = await run({ ...roles, groundTruth: "canary-of-truth" });
  expect(events[0]).toMatchObject({
    executor_system_prompt: "be brief",
    ground_truth: "canary-of-truth",
  });
  for (const role of ["student", "teacher"] as const)
    expect(JSON.stringify(roles.asked(role))).not.toContain("canary-of-truth");
});

test.each<[string, Partial<SessionOptions>]>([
  ["lane.forced", { lane: { forced: "solo" as never } }],
  ["lane.thresholds.auto", { lane: { thresholds: { auto: 0.5 } } }],
  ["lane.thresholds", { lane: { thresholds: { auto: 2 } } }],
  ["lane.historyLimit", { lane: { historyLimit: 0 } }],
  ["concurrency", { concurrency: 0 }],
  ["stepTimeoutMs", { stepTimeoutMs: -1 }],
  ["agent", { agent: undefined as never }],
  ["agent", { agent: { invoke: () => "an object without a name" } as never }],
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
