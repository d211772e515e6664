import { expect, test } from "vitest";
import { defineAgent } from "../../producers/agents/agent.ts";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { verdictCache } from "../../producers/verdict-cache.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { names, only } from "../recording/memory-log.ts";
import { sideBySide } from "../side-by-side.ts";
import { planningStudent, reviewingTeacher, wantedOf } from "./lanes.ts";
import { INVALID, run, startRoles } from "./sessions.ts";

const COACH = { lane: { forced: "coach" } } as const;
const TWO = [
  { id: 1, description: "look" },
  { id: 2, description: "write", depends_on: [1] },
];

test("auto is the student alone, in one step or by a plan", async () => {
  for (const executionMode of ["single_shot", "stepwise"] as const) {
    const roles = await startRoles({ student: planningStudent(TWO) });
    const { result, events } = await run({ ...roles, lane: { forced: "auto" }, executionMode });
    expect(result).toMatchObject({ status: "succeeded", lane: "auto" });
    expect(result.finalAnswer).toBe(executionMode === "stepwise" ? "the whole" : "an answer");
    expect(roles.asked("teacher")).toEqual([]);
    expect(only(events, "StepValidated")).toEqual([]);
    expect(only(events, "LaneSelected")).toMatchObject([{ lane: "auto", reason: "forced", confidence: 1 }]);
  }
});

test("coach plans, has the plan reviewed, runs and validates its steps, and makes one answer of them", async () => {
  const reviewed = [...TWO, { id: 3, description: "check", depends_on: ["#2"] }];
  const review = JSON.stringify({ steps: reviewed, concerns: ["nobody checked"] });
  const roles = await startRoles({ student: planningStudent(TWO), teacher: reviewingTeacher({ review }) });
  const { result, events } = await run({ ...roles, ...COACH });
  expect(result).toMatchObject({ status: "succeeded", finalAnswer: "the whole", lane: "coach" });
  const told = names(events).filter((name) => /Lane|Plan|StepStarted|Validated|StepEnded/.test(name));
  const step = ["StepStarted", "StepValidated", "StepEnded"];
  expect(told).toEqual(["LaneSelected", "PlanProposed", "PlanReviewed", ...step, ...step, ...step]);
  expect(only(events, "PlanProposed")[0]).toMatchObject({
    author: "student",
    plan: { execution_mode: "stepwise" },
  });
  expect(only(events, "PlanReviewed")[0]).toMatchObject({
    changed: true,
    concerns: ["nobody checked"],
    author: "teacher",
    plan: { steps: [{ id: 1 }, { id: 2 }, { id: 3, depends_on: [2] }] },
  });
  expect(
    only(events, "ModelCallStarted").map(({ role, step_id, prompt_version }) => [
      role,
      step_id,
      prompt_version,
    ]),
  ).toEqual([
    ["student", null, "plan.v2"],
    ["teacher", null, "plan-review.v2"],
    ...[1, 2, 3].flatMap((id) => [
      ["student", id, "step.v2"],
      ["teacher", id, "step-validation.v1"],
    ]),
    ["student", null, "synthesis.v1"],
    ["judge", null, "session-judge.v1"],
  ]);
});

test("coach in one step works along the reviewed plan", async () => {
  const roles = await startRoles({ student: planningStudent(TWO), teacher: reviewingTeacher() });
  const { result, events } = await run({ ...roles, ...COACH, executionMode: "single_shot" });
  expect(result).toMatchObject({ status: "succeeded", finalAnswer: "an answer" });
  expect(only(events, "StepStarted")).toHaveLength(1);
  expect(only(events, "PlanReviewed")[0]).toMatchObject({
    changed: false,
    plan: { execution_mode: "single_shot" },
  });
  expect(roles.asked("student")[1]![1]!.content).toContain("1. look\n2. write");
});

test("paired by a plan validates each step and reviews none", async () => {
  const roles = await startRoles({ student: planningStudent(TWO), teacher: reviewingTeacher() });
  const { result, events } = await run({ ...roles, executionMode: "stepwise" });
  expect(result.finalAnswer).toBe("the whole");
  expect(only(events, "PlanReviewed")).toEqual([]);
  expect(only(events, "StepValidated").map(({ step_id }) => step_id)).toEqual([1, 2]);
});

test("twenty steps with a diamond run as soon as their own dependencies are done, within the limit", async () => {
  // 1 → 2, 3 → 4, then a chain to 10, and ten steps on their own.
  const steps = Array.from({ length: 20 }, (_, index) => {
    const id = index + 1;
    const depends_on = { 1: [], 2: [1], 3: [1], 4: [2, 3] }[id] ?? (id <= 10 ? [id - 1] : []);
    return { id, description: `step-${id}`, depends_on };
  });
  const together = sideBySide(3, steps.length);
  const tenDone = Promise.withResolvers<void>();
  const student = planningStudent(steps, async (step) => {
    if (step === "step-20") await tenDone.promise;
    return together.work(`<${step}>`);
  });
  const onEvent = (event: AtlasEvent): void => {
    if (event.type === "StepEnded" && event.step_id === 10) tenDone.resolve();
  };
  const roles = await startRoles({ student, teacher: reviewingTeacher() });
  const { result, events } = await run({ ...roles, ...COACH, concurrency: 3, onEvent });
  expect(result.status).toBe("succeeded");
  expect(together.most).toBe(3);
  const at = (name: "StepStarted" | "StepEnded", id: number): number =>
    only(events, name).find(({ step_id }) => step_id === id)!.meta.sequence;
  for (const { id, depends_on } of steps)
    for (const other of depends_on) expect(at("StepEnded", other)).toBeLessThan(at("StepStarted", id));
  expect(at("StepEnded", 10)).toBeLessThan(at("StepEnded", 20));
  const four = roles.asked("student").find((messages) => wantedOf(messages).step === "step-4")![1]!.content;
  expect(four).toContain("<step-2>");
  expect(four).toContain("<step-3>");
  expect(four).not.toContain("<step-1>");
});

test("a step that fails for real skips what depends on it, and nothing else", async () => {
  const steps = [
    { id: 1, description: "bad" },
    { id: 2, description: "after-bad", depends_on: [1] },
    { id: 3, description: "last", depends_on: [2, 4] },
    { id: 4, description: "good" },
  ];
  const teacher = reviewingTeacher({ accepts: (answer) => !answer.includes("bad") });
  const roles = await startRoles({ student: planningStudent(steps), teacher });
  const { result, events } = await run({ ...roles, ...COACH, maxRetries: 2 });
  expect(result).toMatchObject({ status: "failed", finalAnswer: "Step 4: good\n\ndid good" });
  expect(result.error).toMatchObject({ code: "ATLAS_ATTEMPT_REJECTED" });
  expect(only(events, "StepSkipped").map(({ step_id, reason }) => [step_id, reason])).toEqual([
    [2, "step 1 failed"],
    [3, "step 2 was skipped"],
  ]);
  expect(only(events, "StepValidated").filter(({ step_id }) => step_id === 1)).toHaveLength(3);
  expect(
    only(events, "StepEnded")
      .map(({ step_id, status }) => `${step_id} ${status}`)
      .sort(),
  ).toEqual(["1 failed", "4 succeeded"]);
});

test.each([
  [
    "a circle",
    [
      { id: 1, description: "a", depends_on: [2] },
      { id: 2, description: "b", depends_on: [1] },
    ],
    /1 → 2 → 1/,
  ],
  [
    "a missing step",
    [{ id: 1, description: "a", depends_on: [7] }],
    /step 1 depends on step 7, which does not exist/,
  ],
  [
    "an id twice",
    [
      { id: 4, description: "a" },
      { id: 4, description: "b" },
    ],
    /more than one step has the id 4/,
  ],
])("a plan with %s is refused before anything runs", async (_, steps, why) => {
  const roles = await startRoles({ student: planningStudent(steps), teacher: reviewingTeacher() });
  for (const options of [COACH, { executionMode: "stepwise" as const }]) {
    const { result, events } = await run({ ...roles, ...options });
    expect(result).toMatchObject({ status: "failed", error: { code: "ATLAS_PLAN_INVALID" } });
    expect(result.error?.message).toMatch(why);
    expect(only(events, "StepStarted")).toEqual([]);
    expect(only(events, "PlanProposed")[0]?.plan.steps).toHaveLength(steps.length);
  }
});

test("a teacher repairs a plan that could not run, after it was told what was wrong with its own", async () => {
  const circle = [
    { id: 1, description: "a", depends_on: [2] },
    { id: 2, description: "b", depends_on: [1] },
  ];
  const bad = JSON.stringify({ steps: circle });
  const good = JSON.stringify({ steps: TWO, concerns: ["it went in a circle"] });
  const roles = await startRoles({
    student: planningStudent(circle),
    teacher: [bad, good, '{"valid": true}'],
  });
  const { result, events } = await run({ ...roles, ...COACH });
  expect(result.status).toBe("succeeded");
  const [asked, again] = roles.asked("teacher");
  expect(JSON.parse(asked![1]!.content)).toMatchObject({ problem: expect.stringContaining("1 → 2 → 1") });
  expect(again![3]!.content).toContain("1 → 2 → 1");
  expect(only(events, "PlanReviewed")[0]).toMatchObject({ changed: true, concerns: ["it went in a circle"] });
});

test("a review that cannot be read leaves the plan as proposed, and says that nobody reviewed it", async () => {
  const teacher = reviewingTeacher({ review: "fine by me" });
  const roles = await startRoles({ student: planningStudent(TWO), teacher });
  const { result, events } = await run({ ...roles, ...COACH });
  expect(result.status).toBe("succeeded");
  expect(only(events, "PlanReviewed")[0]).toMatchObject({
    changed: false,
    author: "runtime",
    concerns: [expect.stringContaining("could not be read")],
  });
});

test("a student that cannot plan is asked again once, and then works in one step", async () => {
  const roles = await startRoles({ student: planningStudent("I just do it."), teacher: reviewingTeacher() });
  const { result, events } = await run({ ...roles, ...COACH });
  expect(result).toMatchObject({ status: "succeeded" });
  expect(only(events, "PlanProposed")[0]).toMatchObject({ author: "runtime", plan: { steps: [{ id: 1 }] } });
  expect(only(events, "StepEnded")).toHaveLength(1);
});

test("a step past its timeout fails while its siblings finish", async () => {
  const steps = [
    { id: 1, description: "slow" },
    { id: 2, description: "quick" },
  ];
  const student = planningStudent(steps, (step) => (step === "slow" ? new Promise(() => {}) : "done"));
  const roles = await startRoles({ student, teacher: reviewingTeacher() });
  const { result, events } = await run({ ...roles, ...COACH, stepTimeoutMs: 1000 });
  expect(result).toMatchObject({ status: "failed", finalAnswer: "Step 2: quick\n\ndone" });
  expect(result.error?.message).toContain("step 1 took longer than 1000 ms");
  expect(only(events, "AttemptEnded").map(({ step_id, status }) => [step_id, status])).toEqual([
    [2, "completed"],
    [1, "failed"],
  ]);
});

test("a session cancelled in the middle of a step skips what was not begun", async () => {
  const controller = new AbortController();
  const student = planningStudent(TWO, () => {
    controller.abort();
    return new Promise(() => {});
  });
  const roles = await startRoles({ student, teacher: reviewingTeacher() });
  const { result, events } = await run({ ...roles, ...COACH, signal: controller.signal });
  expect(result.status).toBe("cancelled");
  expect(only(events, "StepEnded")).toMatchObject([{ step_id: 1, status: "cancelled" }]);
  expect(only(events, "StepSkipped")).toMatchObject([{ step_id: 2 }]);
});

test("a session cancelled while it plans is cancelled, with no step begun", async () => {
  const controller = new AbortController();
  const roles = await startRoles({ student: () => controller.abort() });
  const { result, events } = await run({ ...roles, ...COACH, signal: controller.signal });
  expect(result.status).toBe("cancelled");
  expect(only(events, "StepStarted")).toEqual([]);
});

test("an agent that throws while it plans ends the session as failed", async () => {
  const roles = await startRoles();
  const agent = defineAgent({
    name: "broken",
    invoke() {
      throw new Error("no idea");
    },
  });
  const { result } = await run({ ...roles, agent, ...COACH });
  expect(result).toMatchObject({ status: "failed", error: { code: "ATLAS_AGENT_FAILED" } });
});

test("a verdict is remembered for the same answer, and asked for again for any other", async () => {
  const verdicts = verdictCache();
  const roles = await startRoles({
    student: ["same", "same", "same", "other"],
    teacher: [INVALID, '{"valid": true}'],
  });
  const first = await run({ ...roles, verdicts });
  expect(only(first.events, "StepValidated").map(({ cached, verdict }) => [cached, verdict])).toEqual([
    [false, "invalid"],
    [false, "valid"],
  ]);
  const second = await run({ ...roles, verdicts });
  expect(only(second.events, "StepValidated").map(({ cached, verdict }) => [cached, verdict])).toEqual([
    [true, "invalid"],
    [false, "valid"],
  ]);
  expect(only(second.events, "StepValidated")[0]?.call_id).toBeNull();
  expect(only(second.events, "GuidanceGiven")).toMatchObject([{ note: "say it in French" }]);
  expect(roles.asked("teacher")).toHaveLength(3);
});

test("a teacher without a verdict is asked again by the next session", async () => {
  const verdicts = verdictCache();
  const roles = await startRoles({ teacher: ["what?", "what?", '{"valid": true}'] });
  expect((await run({ ...roles, verdicts })).result.status).toBe("failed");
  expect((await run({ ...roles, verdicts })).result.status).toBe("succeeded");
});

test("the simulated model goes through every lane, always in the same way", async () => {
  const model = simulatedModel({ latencyMs: 0 });
  for (const forced of ["auto", "paired", "coach"] as const) {
    for (const executionMode of ["single_shot", "stepwise"] as const) {
      const options = { agent: modelAgent(model), teacher: model, judge: model, executionMode };
      const [first, second] = [
        await run({ ...options, lane: { forced } }),
        await run({ ...options, lane: { forced } }),
      ];
      expect(first.result).toMatchObject({ status: "succeeded", lane: forced, simulated: true });
      expect(second.result.finalAnswer).toBe(first.result.finalAnswer);
      expect(only(first.events, "StepEnded")).toHaveLength(executionMode === "stepwise" ? 2 : 1);
    }
  }
});

test("two hundred sessions at once, each with a plan, do not mix", async () => {
  const model = simulatedModel({ latencyMs: 1 });
  const agent = modelAgent(model);
  const tasks = Array.from({ length: 200 }, (_, index) => `task number ${index}.`);
  const runs = await Promise.all(
    tasks.map((task) => run({ task, agent, teacher: model, judge: model, lane: { forced: "coach" } })),
  );
  runs.forEach(({ result, events }, index) => {
    expect(result.finalAnswer).toContain(tasks[index]);
    for (const { messages } of only(events, "ModelCallStarted")) expect(messages).toContain(tasks[index]);
    expect(result.tokens.calls).toBe(only(events, "ModelCallEnded").length);
  });
});

test("a plan whose steps are too large to be shown is not read", async () => {
  const student = planningStudent(JSON.stringify({ steps: [{ id: 1, description: "x".repeat(3000) }] }));
  const roles = await startRoles({ student, teacher: reviewingTeacher() });
  const { result, events } = await run({ ...roles, ...COACH });
  expect(result.status).toBe("succeeded");
  expect(only(events, "PlanProposed")[0]?.author).toBe("runtime");
  expect(roles.asked("student")[1]!.at(-1)!.content).toContain("is too long");
});
