import { expect, test } from "vitest";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import {
  QUICKSTART_LEARNING_KEY,
  QUICKSTART_SYSTEM_PROMPT,
  QUICKSTART_TASKS,
} from "../../producers/simulated/quickstart-tasks.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { only } from "../recording/memory-log.ts";
import { run } from "./sessions.ts";

async function quickstart() {
  const model = simulatedModel();
  const agent = modelAgent(model, { name: "security-reviewer", systemPrompt: QUICKSTART_SYSTEM_PROMPT });
  const runs = [];
  for (const { task, groundTruth } of QUICKSTART_TASKS) {
    const learningKey = QUICKSTART_LEARNING_KEY;
    runs.push(await run({ task, groundTruth, agent, teacher: model, judge: model, learningKey }));
  }
  return runs;
}

test("of the three tasks one passes at once, one after guidance, and one fails with a low reward", async () => {
  const runs = await quickstart();
  const verdicts = runs.map(({ events }) => only(events, "StepValidated").map(({ verdict }) => verdict));
  expect(verdicts).toEqual([["valid"], ["invalid", "valid"], ["invalid", "invalid"]]);
  expect(runs.map(({ result }) => result.status)).toEqual(["succeeded", "succeeded", "failed"]);
  const scores = runs.map(({ result }) => result.reward!.score);
  expect(scores[0]).toBeGreaterThan(scores[1]!);
  expect(scores[1]).toBeGreaterThan(0.7);
  expect(scores[2]).toBeLessThan(0.2);
  for (const { result } of runs) expect(result.tokens.total).toBeGreaterThan(500);
});

test("what no model wrote says so wherever a person may read it", async () => {
  for (const { result, events } of await quickstart()) {
    expect(result.simulated).toBe(true);
    expect(result.finalAnswer).toMatch(/^\[simulated\] /);
    expect(result.reward?.rationale).toMatch(/^\[simulated\] /);
    expect(only(events, "SessionStarted")[0]?.simulated).toBe(true);
    for (const { note } of only(events, "GuidanceGiven")) expect(note).toMatch(/^\[simulated\] /);
    for (const { reason } of only(events, "StepValidated")) expect(reason).toMatch(/^\[simulated\] /);
    for (const { provider, model } of only(events, "ModelCallEnded"))
      expect([provider, model]).toEqual(["simulated", "simulated"]);
  }
});

test("the simulation says the same each time", async () => {
  const [first, second] = [await quickstart(), await quickstart()];
  const told = (runs: typeof first) =>
    runs.map(({ result, events }) => [
      result.finalAnswer,
      result.reward,
      result.tokens,
      only(events, "ModelCallEnded").map(({ content, usage }) => [content, usage]),
    ]);
  expect(told(first)).toEqual(told(second));
});

test("a task of one's own gets a general answer, a verdict and a score", async () => {
  const model = simulatedModel({ latencyMs: 0 });
  const { result } = await run({
    task: "Plan my learning, with guidance",
    agent: modelAgent(model),
    teacher: model,
    judge: model,
  });
  expect(result).toMatchObject({ status: "succeeded", simulated: true });
  expect(result.finalAnswer).toContain("Plan my learning");
  expect(result.reward?.score).toBeGreaterThan(0.5);
});
