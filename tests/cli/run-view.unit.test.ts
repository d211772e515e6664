import { expect, test } from "vitest";
import { sessionLines } from "../../cli/run-view.ts";
import { unstyled } from "../../cli/terminal-text.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";

/** What is shown of events that are as they come; their envelope does not matter. */
function shown(...events: object[]): string[] {
  const lines = sessionLines();
  return events.flatMap((event) => lines(event as AtlasEvent)).map(unstyled);
}

const STEPS = [
  { id: 1, description: "Read", depends_on: [] },
  { id: 2, description: "Write", depends_on: [1] },
];
const plan = (steps: object[]) => ({
  type: "PlanProposed",
  author: "student",
  plan: { steps, execution_mode: "stepwise" },
});

test("a stepwise session: lane, plan as a list, each step with attempt, verdict, duration, guidance, tools", () => {
  expect(
    shown(
      { type: "LaneSelected", lane: "coach", reason: "probe", confidence: 0.4 },
      plan(STEPS),
      { type: "PlanReviewed", changed: false, concerns: ["thin"], plan: { steps: STEPS } },
      { type: "StepStarted", step_id: 1, description: "Read", depends_on: [] },
      { type: "AttemptStarted", step_id: 1, attempt: 1, guidance: [] },
      { type: "ToolCallStarted", step_id: 1, name: "search", arguments: '{"q":1}' },
      { type: "ToolCallEnded", step_id: 1, name: "search", error: "no net", duration_us: 2_500_000 },
      { type: "AttemptEnded", step_id: 1, attempt: 1, status: "completed", duration_us: 3_000 },
      { type: "StepValidated", step_id: 1, attempt: 1, verdict: "invalid", reason: "too short" },
      { type: "GuidanceGiven", step_id: 1, attempt: 1, note: "say more" },
      { type: "AttemptStarted", step_id: 1, attempt: 2, guidance: ["say more"] },
      { type: "ToolCallStarted", step_id: 1, attempt: 2, name: "search" },
      { type: "AttemptEnded", step_id: 1, attempt: 2, status: "completed", duration_us: 61_000_000 },
      { type: "StepEnded", step_id: 1, status: "failed", reason: "rejected" },
      { type: "StepSkipped", step_id: 2, reason: "step 1 failed" },
      { type: "JudgementMade", judge: "process", score: 0.5, rationale: "half" },
      { type: "SessionEnded", status: "failed", error: "step 1", duration_us: 61_000_000 },
    ),
  ).toEqual([
    "lane       coach (probe, confidence 0.40)",
    "plan       2 steps by the student",
    "           1. Read",
    "           2. Write (after 1)",
    "plan       concern — thin",
    "step 1     ▸ Read",
    'step 1     ⚙ search called — {"q":1}',
    "step 1     ⚙ search failed in 2.5 s — no net",
    "step 1     the student answered in 3 ms",
    "step 1     ✖ the teacher rejected it — too short",
    "step 1     ↻ guidance — say more",
    "step 1     attempt 2 ⚙ search called",
    "step 1     attempt 2 the student answered in 1 min 1 s",
    "step 1     ✖ failed — rejected",
    "step 2     – skipped — step 1 failed",
    "judge      process 0.50 — half",
  ]);
});

test("a plan of one step is the task itself and goes without saying", () => {
  expect(
    shown(
      plan(STEPS.slice(0, 1)),
      { type: "StepStarted", step_id: 1 },
      { type: "AttemptEnded", step_id: 1, attempt: 1, status: "completed", duration_us: 5000 },
    ),
  ).toEqual(["attempt 1  the student answered in 5 ms"]);
});

test("nothing that models, tools or agents write reaches the terminal as a control character", () => {
  const evil = "a\u001b[2J\u0007\u009b1m\u202eb\nc\rd";
  const lines = shown(
    { type: "LaneSelected", lane: evil, reason: evil },
    { ...plan(STEPS.map((step) => ({ ...step, description: evil }))), author: evil },
    { type: "PlanReviewed", changed: true, concerns: [evil], plan: { steps: STEPS } },
    { type: "StepStarted", step_id: 1, description: evil },
    { type: "ToolCallStarted", step_id: 1, name: evil, arguments: evil },
    { type: "ToolCallEnded", step_id: 1, name: evil, output: evil },
    { type: "AttemptEnded", step_id: 1, attempt: 1, status: evil, error: evil },
    { type: "StepValidated", step_id: 1, verdict: evil, reason: evil },
    { type: "GuidanceGiven", step_id: 1, note: evil },
    { type: "StepSkipped", step_id: 1, reason: evil },
    { type: "StepEnded", step_id: 1, status: evil, reason: evil },
    { type: "JudgementMade", judge: evil, score: 1, rationale: evil },
    { type: "JudgementFailed", judge: evil, reason: evil },
  );
  expect(lines.length).toBeGreaterThan(12);
  expect(lines.join("")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
});
