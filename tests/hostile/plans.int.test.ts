import { beforeEach, describe, expect, test, vi } from "vitest";
import { openaiModel } from "../../models/openai.ts";
import { type Answer, closedPort, completion, json, startModelServer } from "../models/model-server.ts";
import { type Planned, reviewingTeacher, wantedOf } from "../producers/lanes.ts";
import { only } from "../recording/memory-log.ts";
import { hostileAtlas } from "./hostile-run.ts";
import { KEYS, PROVIDERS, type Provider, refuse } from "./providers.ts";

const run = hostileAtlas();
beforeEach(() => {
  for (const name of KEYS) vi.stubEnv(name, "key-0123456789");
});
const COACH = { lane: { forced: "coach" } } as const;

/** Step 1 opens into 2 to 10, which meet in 11; 12 to 20 follow 11 in a row. */
const TWENTY: Planned[] = Array.from({ length: 20 }, (_, index) => {
  const id = index + 1;
  const depends_on = id === 1 ? [] : id <= 10 ? [1] : id === 11 ? [2, 3, 4, 5, 6, 7, 8, 9, 10] : [id - 1];
  return { id, description: `part-${id}.`, depends_on };
});

/** A student that plans these steps; in one of them its server does something else. */
function student(provider: Provider, steps: readonly Planned[], odd: Record<string, Answer> = {}): Answer {
  return (request, response) => {
    const messages = request.body["messages"] as { role: string; content: unknown }[];
    const { wanted, step } = wantedOf(messages);
    const part = step.split("\n")[0]!;
    if (wanted === "plan") return json(response, provider.answer(JSON.stringify({ steps })));
    const other = odd[part];
    if (other !== undefined) return other(request, response);
    json(response, provider.answer(wanted === "step" ? `did ${part}` : "the whole"));
  };
}

async function runPlan(
  provider: Provider,
  answers: { student: Answer; teacher?: Answer; judge?: Answer },
  options: object = {},
) {
  const teacherAnswer = answers.teacher ?? reviewingTeacher();
  await using server = await startModelServer(answers.student);
  await using reviewing = await startModelServer(teacherAnswer);
  const agent = provider.agent({ model: "student", baseUrl: server.url, maxRetries: 1 });
  const teacher = openaiModel({ model: "teacher", baseUrl: reviewing.url, maxRetries: 0, provider: "local" });
  const [told] = await run({ agent, teacher, ...COACH, ...options });
  return { ...told!, asked: server.requests.length, reviewed: reviewing.requests.length };
}

describe.each(PROVIDERS.map((provider) => [provider.name, provider] as const))("%s", (_, provider) => {
  test("of twenty steps with a diamond, what depends on a dead one is skipped and all others finish", async () => {
    let busy = true;
    const { result, events } = await runPlan(
      provider,
      {
        student: student(provider, TWENTY, {
          "part-3.": (request, response) => {
            if (!busy) return student(provider, TWENTY)(request, response);
            busy = false;
            refuse(response, 429, { "retry-after-ms": "5" });
          },
          "part-7.": (_request, response) => refuse(response, 400),
        }),
      },
      { concurrency: 3 },
    );
    expect(result).toMatchObject({ status: "failed", error: { code: "ATLAS_MODEL_FAILED" } });
    const ended = new Map(only(events, "StepEnded").map((step) => [step.step_id, step]));
    expect([...ended.keys()].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(ended.get(7)).toMatchObject({ status: "failed", attempts: 1 });
    for (const [id, { status }] of ended) if (id !== 7) expect(status).toBe("succeeded");
    expect(only(events, "StepSkipped").map(({ step_id, reason }) => [step_id, reason])).toEqual([
      [11, "step 7 failed"],
      ...[12, 13, 14, 15, 16, 17, 18, 19, 20].map((id) => [id, `step ${id - 1} was skipped`]),
    ]);
    const calls = only(events, "ModelCallEnded").filter(
      ({ role, step_id }) => role === "student" && step_id !== null,
    );
    expect(calls.map(({ step_id, tries }) => [step_id, tries]).sort(([a], [b]) => a! - b!)).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((id) => [id, id === 3 ? 2 : 1]),
    );
    let open = 0;
    let most = 0;
    for (const { type } of events) {
      if (type === "StepStarted") most = Math.max(most, ++open);
      if (type === "StepEnded") open -= 1;
    }
    expect(most).toBe(3);
    expect(result.finalAnswer?.match(/did part-\d+\./g)).toEqual(
      [1, 2, 3, 4, 5, 6, 8, 9, 10].map((id) => `did part-${id}.`),
    );
  });
});

const OPENAI = PROVIDERS[0]!;
const TWO = [
  { id: 1, description: "first.", depends_on: [] },
  { id: 2, description: "second.", depends_on: [1] },
];

test("a teacher that is down costs the review and every verdict, and no attempt is taken for accepted", async () => {
  const teacher = openaiModel({
    model: "t",
    baseUrl: `http://127.0.0.1:${await closedPort()}/v1`,
    maxRetries: 0,
    provider: "local",
  });
  const { result, events, asked } = await runPlan(OPENAI, { student: student(OPENAI, TWO) }, { teacher });
  expect(result).toMatchObject({ status: "failed", error: { code: "ATLAS_MODEL_UNAVAILABLE" } });
  expect(only(events, "PlanReviewed")).toMatchObject([
    {
      author: "runtime",
      changed: false,
      call_id: null,
      concerns: [expect.stringMatching(/ATLAS_MODEL_UNAVAILABLE/)],
    },
  ]);
  expect(only(events, "StepValidated")).toMatchObject([{ step_id: 1, verdict: "none", call_id: null }]);
  expect(only(events, "StepSkipped")).toMatchObject([{ step_id: 2, reason: "step 1 failed" }]);
  const calls = only(events, "ModelCallEnded").filter(({ role }) => role === "teacher");
  expect(calls).toHaveLength(2);
  for (const { error, tries } of calls)
    expect([error?.slice(0, 23), tries]).toEqual(["ATLAS_MODEL_UNAVAILABLE", 1]);
  expect(asked).toBe(2);
});

test("a teacher that writes garbage, again when it is asked again, gives no review and no verdict", async () => {
  const garbage: Answer = (_, response) => json(response, completion('{"valid": maybe, "steps": 3'));
  const { events, reviewed } = await runPlan(OPENAI, { student: student(OPENAI, TWO), teacher: garbage });
  expect(reviewed).toBe(4);
  expect(only(events, "PlanReviewed")).toMatchObject([{ author: "runtime", changed: false }]);
  expect(only(events, "StepValidated")).toMatchObject([{ verdict: "none" }]);
  expect(only(events, "AttemptStarted")).toHaveLength(1);
  expect(
    only(events, "ModelCallStarted")
      .filter(({ role }) => role === "teacher")
      .map(({ prompt_version }) => prompt_version),
  ).toEqual([
    "plan-review.v2",
    "plan-review.v2+repair.v1",
    "step-validation.v1",
    "step-validation.v1+repair.v1",
  ]);
});

test("a teacher that never agrees gets every attempt, with all guidance, and the plan ends with it", async () => {
  const { result, events } = await runPlan(
    OPENAI,
    { student: student(OPENAI, TWO), teacher: reviewingTeacher({ accepts: () => false }) },
    { maxRetries: 3 },
  );
  expect(result).toMatchObject({ status: "failed", error: { code: "ATLAS_ATTEMPT_REJECTED" } });
  expect(only(events, "StepValidated").map(({ attempt, verdict }) => [attempt, verdict])).toEqual(
    [1, 2, 3, 4].map((attempt) => [attempt, "invalid"]),
  );
  expect(only(events, "AttemptStarted").map(({ guidance }) => guidance.length)).toEqual([0, 1, 2, 3]);
  expect(only(events, "GuidanceGiven")).toHaveLength(3);
  expect(only(events, "StepSkipped")).toHaveLength(1);
});

test.each([
  [
    "a circle of three",
    [
      [1, [3]],
      [2, [1]],
      [3, [2]],
    ],
    /1 → 3 → 2 → 1/,
  ],
  ["a step that depends on itself", [[1, [1]]], /1 → 1/],
  ["a step that is not there", [[1, [9]]], /step 1 depends on step 9, which does not exist/],
  [
    "an id twice",
    [
      [1, []],
      [1, []],
    ],
    /more than one step has the id 1/,
  ],
] as [string, [number, number[]][], RegExp][])(
  "a plan with %s that the teacher keeps is refused in the log's words too, before any step",
  async (_, steps, why) => {
    const plan = steps.map(([id, depends_on]) => ({ id, description: `part ${id}.`, depends_on }));
    const { result, events, reviewed } = await runPlan(OPENAI, { student: student(OPENAI, plan) });
    expect(result).toMatchObject({ status: "failed", error: { code: "ATLAS_PLAN_INVALID" } });
    expect(only(events, "SessionEnded")[0]?.error).toMatch(why);
    expect(reviewed).toBe(2);
    expect(only(events, "StepStarted")).toEqual([]);
    expect(only(events, "PlanReviewed")).toEqual([]);
  },
);

test("a plan of fifty steps in a row and a circle at its end is looked through", async () => {
  const plan = Array.from({ length: 50 }, (_, index) => ({
    id: index + 1,
    description: "x",
    depends_on: index === 0 ? [50] : [index],
  }));
  const { result } = await runPlan(OPENAI, { student: student(OPENAI, plan) });
  expect(result.error?.message).toMatch(/in a circle: 1 → 50 → 49/);
});
