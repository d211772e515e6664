import { expect, test } from "vitest";
import { isAtlasError } from "../../errors/atlas-error.ts";
import { learningKeyOf } from "../../recording/learning-key.ts";
import { json } from "../models/model-server.ts";
import { names, only } from "../recording/memory-log.ts";
import { INVALID, RULES_HASH, run, SCORE, startRoles, VALID } from "./sessions.ts";

const parsed = (text: string | null | undefined): unknown => JSON.parse(text ?? "null");

test("a session that is accepted at once is emitted in the order in which it happened", async () => {
  const roles = await startRoles();
  const { result, events } = await run({
    ...roles,
    groundTruth: "bonjour",
    metadata: { ticket: 7 },
    tags: ["greeting"],
    tenant: "acme",
    project: "p",
  });
  expect(names(events)).toEqual([
    "SessionStarted",
    "LaneSelected",
    "PlanProposed",
    "StepStarted",
    "AttemptStarted",
    "MessageRecorded",
    "MessageRecorded",
    "ModelCallStarted",
    "ModelCallEnded",
    "MessageRecorded",
    "AttemptEnded",
    "ModelCallStarted",
    "ModelCallEnded",
    "StepValidated",
    "StepEnded",
    "SessionEnded",
    "ModelCallStarted",
    "ModelCallEnded",
    "JudgementMade",
    "SessionJudged",
  ]);
  expect(events[0]).toMatchObject({
    task: "Say hello",
    agent: "student",
    agent_kind: "local",
    origin: "run",
    tags: ["greeting"],
    tenant: "acme",
    project: "p",
    ground_truth: "bonjour",
    executor_system_prompt: "be brief",
    metadata: '{"ticket":7}',
    simulated: false,
    learning_key: learningKeyOf({ agent: "student", task: "Say hello", tags: ["greeting"], tenant: "acme" }),
  });
  expect(only(events, "SessionEnded")[0]).toMatchObject({
    status: "succeeded",
    final_answer: "an answer",
    error: null,
    usage: { prompt_tokens: 22, completion_tokens: 14, total_tokens: 36, calls: 2 },
  });
  expect(events.at(-1)).toMatchObject({ missing: [], rules_hash: RULES_HASH });
  expect(result).toMatchObject({
    status: "succeeded",
    finalAnswer: "an answer",
    lane: "paired",
    reward: { score: 0.8, uncertainty: 0.1, rationale: "good" },
    tokens: { prompt: 33, completion: 21, total: 54, calls: 3 },
    simulated: false,
  });
  expect(result.tokens.byRole.student).toMatchObject({ prompt: 11, completion: 7, total: 18, calls: 1 });
  expect(result.error).toBeUndefined();
});

test("every model call is recorded with its role, its prompt, what it was asked and who answered", async () => {
  const roles = await startRoles();
  const { events } = await run(roles);
  const started = only(events, "ModelCallStarted");
  expect(started.map(({ role, prompt_version }) => [role, prompt_version])).toEqual([
    ["student", null],
    ["teacher", "validation.v1"],
    ["judge", "session-judge.v1"],
  ]);
  expect(parsed(started[0]?.messages)).toEqual(roles.asked("student")[0]);
  expect(parsed(started[2]?.messages)).toEqual(roles.asked("judge")[0]);
  for (const ended of only(events, "ModelCallEnded")) {
    expect(ended).toMatchObject({
      provider: "local",
      model: "served-model-2",
      finish_reason: "stop",
      error: null,
    });
    expect(ended.usage).toMatchObject({ total_tokens: 18, calls: 1 });
    expect(ended.duration_us).toBeGreaterThan(0);
  }
});

test("a rejected attempt is guided and tried again, in the same conversation", async () => {
  const roles = await startRoles({ student: ["hello", "bonjour"], teacher: [INVALID, VALID] });
  const { result, events } = await run(roles);
  expect(result).toMatchObject({ status: "succeeded", finalAnswer: "bonjour" });
  expect(only(events, "StepValidated").map(({ verdict }) => verdict)).toEqual(["invalid", "valid"]);
  expect(only(events, "GuidanceGiven")).toMatchObject([{ step_id: 1, attempt: 1, note: "say it in French" }]);
  expect(only(events, "AttemptStarted").map(({ guidance }) => guidance)).toEqual([[], ["say it in French"]]);
  const retry = roles.asked("student")[1]!;
  expect(retry.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
  expect(retry[2]?.content).toBe("hello");
  expect(retry[3]?.content).toContain("say it in French");
  const messages = only(events, "MessageRecorded");
  expect(messages.map(({ index, role, attempt }) => [index, role, attempt])).toEqual([
    [0, "system", 1],
    [1, "user", 1],
    [2, "assistant", 1],
    [3, "user", 2],
    [4, "assistant", 2],
  ]);
  expect(only(events, "StepEnded")[0]).toMatchObject({ status: "succeeded", attempts: 2, output: "bonjour" });
});

test("a teacher that never agrees is asked about every attempt, and the session fails for real", async () => {
  for (const maxRetries of [0, 1, 3]) {
    const roles = await startRoles({ teacher: [INVALID] });
    const { result, events } = await run({ ...roles, maxRetries });
    expect(roles.asked("teacher")).toHaveLength(maxRetries + 1);
    expect(only(events, "StepValidated").map(({ verdict }) => verdict)).toEqual(
      Array(maxRetries + 1).fill("invalid"),
    );
    expect(only(events, "GuidanceGiven")).toHaveLength(maxRetries);
    expect(only(events, "StepEnded")[0]).toMatchObject({ status: "failed", attempts: maxRetries + 1 });
    expect(result).toMatchObject({ status: "failed", finalAnswer: "an answer", reward: { score: 0.8 } });
    expect(isAtlasError(result.error, "ATLAS_ATTEMPT_REJECTED")).toBe(true);
    expect(result.error?.message).toContain("wrong language");
  }
});

test("a teacher's reply that cannot be read is repaired once, by saying what was wrong with it", async () => {
  for (const broken of ["I like it!", '{"valid": "false"}', '{"valid": false}', ""]) {
    const roles = await startRoles({ teacher: [broken, VALID] });
    const { result, events } = await run(roles);
    expect(result.status).toBe("succeeded");
    expect(roles.asked("teacher")).toHaveLength(2);
    const repair = roles.asked("teacher")[1]!;
    expect(repair.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
    expect(repair[3]?.content).toMatch(/could not be read/);
    expect(only(events, "StepValidated")).toHaveLength(1);
  }
});

test("a teacher without a readable verdict gives none: no success, no retry, no crash", async () => {
  const roles = await startRoles({ teacher: ["nonsense"] });
  const { result, events } = await run(roles);
  expect(result.status).toBe("failed");
  expect(roles.asked("teacher")).toHaveLength(2);
  expect(roles.asked("student")).toHaveLength(1);
  expect(only(events, "StepValidated")).toMatchObject([
    { verdict: "none", reason: expect.stringContaining("not JSON") },
  ]);
  expect(only(events, "GuidanceGiven")).toEqual([]);
});

test("a teacher whose model fails gives no verdict, and the failed call is recorded", async () => {
  const roles = await startRoles({ teacher: (_, response) => json(response, {}, 500) });
  const { result, events } = await run(roles);
  expect(result.status).toBe("failed");
  expect(only(events, "StepValidated")[0]).toMatchObject({ verdict: "none", call_id: null });
  const call = only(events, "ModelCallEnded").find(({ role }) => role === "teacher");
  expect(call).toMatchObject({ content: null, error: expect.stringContaining("ATLAS_MODEL_UNAVAILABLE") });
  expect(result.tokens.byRole.teacher).toEqual({ calls: 1, failed: 1, retries: 0 });
});

test("a student whose model is away ends the session as failed, and nobody judges it", async () => {
  const roles = await startRoles({ student: (_, response) => json(response, {}, 503) });
  const { result, events } = await run(roles);
  expect(result.status).toBe("failed");
  expect(isAtlasError(result.error, "ATLAS_MODEL_UNAVAILABLE")).toBe(true);
  expect(only(events, "AttemptEnded")[0]).toMatchObject({ status: "failed", output: null });
  expect(roles.asked("teacher")).toEqual([]);
  expect(result.finalAnswer).toBeUndefined();
  expect(result.reward).toBeUndefined();
  expect(roles.asked("judge")).toEqual([]);
});

test.each([
  [
    "above its range",
    '{"score": 1.7, "uncertainty": 0.1, "rationale": "x"}',
    /"score": is 1.7, not between 0 and 1/,
  ],
  [
    "below its range",
    '{"score": -1, "uncertainty": 0.1, "rationale": "x"}',
    /"score": is -1, not between 0 and 1/,
  ],
  [
    "of the wrong type",
    '{"score": "0.9", "uncertainty": 0.1, "rationale": "x"}',
    /"score": is "0.9", not a number/,
  ],
  ["missing", '{"uncertainty": 0.1, "rationale": "x"}', /"score": is missing, not a number/],
  ["without its uncertainty", '{"score": 0.5, "rationale": "x"}', /"uncertainty"/],
  ["in prose", "I would give it a nine.", /not JSON/],
  ["not a number at all", '{"score": NaN, "uncertainty": 0, "rationale": "x"}', /not JSON/],
])("a score that is %s is no score", async (_, reply, reason) => {
  const roles = await startRoles({ judge: [reply] });
  const { result, events } = await run(roles);
  expect(result.status).toBe("succeeded");
  expect(result.reward).toBeUndefined();
  expect(only(events, "JudgementMade")).toEqual([]);
  expect(only(events, "JudgementFailed")).toMatchObject([
    { judge: "session_reward", reason: expect.stringMatching(reason), prompt_version: "session-judge.v1" },
  ]);
  expect(events.at(-1)).toMatchObject({ judgements: [], missing: ["session_reward"] });
});

test("a judge whose model fails leaves the session without a reward", async () => {
  const roles = await startRoles({ judge: (_, response) => json(response, {}, 500) });
  const { result, events } = await run(roles);
  expect(result.reward).toBeUndefined();
  expect(only(events, "JudgementFailed")[0]?.reason).toContain("ATLAS_MODEL_UNAVAILABLE");
});

test("the judge sees what happened and the reference answer; the agent and its teacher do not see the latter", async () => {
  const roles = await startRoles({ student: ["hello", "bonjour"], teacher: [INVALID, VALID] });
  await run({ ...roles, groundTruth: "the-reference" });
  const shown = JSON.parse(roles.asked("judge")[0]![1]!.content) as Record<string, unknown>;
  expect(shown).toMatchObject({
    task: "Say hello",
    reference_answer: "the-reference",
    lane: "paired",
    status: "succeeded",
    final_answer: "bonjour",
    steps: [
      {
        status: "succeeded",
        attempts: [
          { attempt: 1, answer: "hello", verdict: "invalid", reason: "wrong language", guidance: [] },
          { attempt: 2, answer: "bonjour", verdict: "valid", guidance: ["say it in French"] },
        ],
      },
    ],
  });
  expect(JSON.stringify([roles.asked("student"), roles.asked("teacher")])).not.toContain("the-reference");
});

test("what a judge thinks in a reply around its JSON does not matter", async () => {
  const roles = await startRoles({ judge: [`Let me see.\n\`\`\`json\n${SCORE}\n\`\`\``] });
  const { result, events } = await run(roles);
  expect(result.reward?.score).toBe(0.8);
  expect(only(events, "JudgementMade")[0]).toMatchObject({
    judge: "session_reward",
    scope: "session",
    stage: "sample",
    score: 0.8,
    uncertainty: 0.1,
    principles: '[{"name":"correctness","weight":1}]',
    provider: "local",
    model: "served-model-2",
  });
});

test("an answer of 20 MB passes, and is shown to teacher and judge in a bounded form", async () => {
  const answer = `start ${"ä".repeat(10 * 1024 * 1024)} end`;
  const roles = await startRoles({ student: [answer] });
  const { result, events } = await run(roles);
  expect(result.finalAnswer).toBe(answer);
  expect(only(events, "ContentContinued").length).toBeGreaterThan(100);
  for (const role of ["teacher", "judge"] as const) {
    const { content } = roles.asked(role)[0]![1]!;
    expect(content.length).toBeLessThan(100_000);
    expect(content).toContain("left out");
  }
});
