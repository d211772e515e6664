import { expect, test } from "vitest";
import { verdictCache } from "../../producers/verdict-cache.ts";
import { only } from "../recording/memory-log.ts";
import { planningStudent, reviewingTeacher } from "./lanes.ts";
import { run, startRoles } from "./sessions.ts";

const COACH = { lane: { forced: "coach" } } as const;
const PARAMS = { query: 'say "é"', limit: 2, deep: { a: [1, null] } };
const TEXT = JSON.stringify(PARAMS);
const STEP = { id: 1, description: "look it up", depends_on: [] };

/** The plan that runs, and its events, when the student proposes these steps and the teacher replies with those. */
async function reviewed(proposed: readonly object[], corrected: readonly object[]) {
  const roles = await startRoles({
    student: planningStudent(JSON.stringify({ steps: proposed })),
    teacher: reviewingTeacher({ review: JSON.stringify({ steps: corrected, concerns: null }) }),
  });
  const { result, events } = await run({ ...roles, ...COACH });
  expect(result.status).toBe("succeeded");
  const [review] = only(events, "PlanReviewed");
  return { review: review!, steps: review!.plan.steps, events, roles };
}

test.each([
  ["an object", PARAMS],
  ["JSON text", TEXT],
])(
  "tool_params that the student gives as %s are recorded once encoded, and shown to it",
  async (_, given) => {
    const step = { ...STEP, tool: "search", tool_params: given };
    const { steps, events, roles } = await reviewed([step], []);
    expect(only(events, "PlanProposed")[0]?.plan.steps).toEqual([
      { ...STEP, tool: "search", tool_params: TEXT },
    ]);
    expect(steps[0]?.tool_params).toBe(TEXT);
    expect(only(events, "StepStarted")[0]).toMatchObject({ tool: "search", tool_params: TEXT });
    expect(roles.asked("student")[1]!.at(-1)!.content).toContain(
      `the tool search with the arguments ${TEXT}.`,
    );
  },
);

test.each<[string, object]>([
  ["echoed as the text that the teacher was shown", { ...STEP, tool: "search", tool_params: TEXT }],
  ["echoed as an object", { ...STEP, tool: "search", tool_params: PARAMS }],
  ["left out with the tool", STEP],
  ["null with the tool, which a strict schema asks for", { ...STEP, tool: null, tool_params: null }],
  ["left out beside the tool", { ...STEP, tool: "search" }],
  ["those of a step that has another id now", { ...STEP, id: 9, tool: null, tool_params: null }],
])("a reviewed plan keeps tool_params exactly when they are %s", async (_, corrected) => {
  const { steps } = await reviewed([{ ...STEP, tool: "search", tool_params: PARAMS }], [corrected]);
  expect(steps).toMatchObject([{ tool: "search", tool_params: TEXT }]);
});

test("a review that echoes a plan has not changed it", async () => {
  const step = { ...STEP, tool: "search", tool_params: TEXT };
  expect((await reviewed([step], [step])).review.changed).toBe(false);
  expect((await reviewed([step], [STEP])).review.changed).toBe(false);
});

test("tool_params that the teacher changes are the teacher's", async () => {
  const proposed = [{ ...STEP, tool: "search", tool_params: PARAMS }];
  for (const given of [{ query: "x" }, '{"query":"x"}']) {
    const { steps, review } = await reviewed(proposed, [{ ...STEP, tool: "search", tool_params: given }]);
    expect(steps[0]?.tool_params).toBe('{"query":"x"}');
    expect(review.changed).toBe(true);
  }
  const emptied = await reviewed(proposed, [{ ...STEP, tool: "search", tool_params: {} }]);
  expect(emptied.steps[0]?.tool_params).toBe("{}");
  const other = await reviewed(proposed, [{ ...STEP, tool: "fetch" }]);
  expect(other.steps[0]).toMatchObject({ tool: "fetch", tool_params: null });
  const rewritten = await reviewed(proposed, [{ ...STEP, description: "ask somebody" }]);
  expect(rewritten.steps).toMatchObject([{ description: "ask somebody", tool: null, tool_params: null }]);
});

test("a plan that the teacher reviewed is not sent to it again, and any other is", async () => {
  const verdicts = verdictCache();
  const review = JSON.stringify({
    steps: [{ ...STEP, description: "look twice" }],
    concerns: ["once is little"],
  });
  const reviews = (roles: { asked(role: "teacher"): { content: string }[][] }) =>
    roles.asked("teacher").filter(([system]) => system!.content.includes("review its plan")).length;
  const student = planningStudent([{ ...STEP }]);
  const roles = await startRoles({ student, teacher: reviewingTeacher({ review }) });
  const first = await run({ ...roles, ...COACH, verdicts });
  const second = await run({ ...roles, ...COACH, verdicts });
  expect(reviews(roles)).toBe(1);
  const [asked, recalled] = [first, second].map(({ events }) => only(events, "PlanReviewed")[0]!);
  expect(asked!.call_id).not.toBeNull();
  expect(recalled).toMatchObject({ author: "teacher", call_id: null, changed: true });
  expect(recalled!.plan).toEqual(asked!.plan);
  expect(recalled!.concerns).toEqual(["once is little"]);

  await run({ ...roles, ...COACH, verdicts, task: "Say goodbye" });
  expect(reviews(roles)).toBe(2);
  const proposed = planningStudent([{ ...STEP, description: "guess" }]);
  const other = await startRoles({ student: proposed, teacher: reviewingTeacher({ review }) });
  await run({ ...other, ...COACH, verdicts });
  expect(reviews(other)).toBe(1);
  await run({ ...roles, ...COACH });
  expect(reviews(roles)).toBe(3);
});

test("a review that could not be read is asked for again by the next session", async () => {
  const verdicts = verdictCache();
  const teacher = reviewingTeacher({ review: "hm" });
  const roles = await startRoles({ student: planningStudent([STEP]), teacher });
  await run({ ...roles, ...COACH, verdicts });
  const { events } = await run({ ...roles, ...COACH, verdicts });
  expect(only(events, "PlanReviewed")[0]).toMatchObject({ author: "runtime" });
  expect(roles.asked("teacher")).toHaveLength(5);
});
