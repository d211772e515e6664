import { expect, test } from "vitest";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import { QUICKSTART_SYSTEM_PROMPT, QUICKSTART_TASKS } from "../../producers/simulated/quickstart-tasks.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { getTrainingSessions, streamTraces } from "../../projections/training-data.ts";
import { approveAll, folderForTest, opened } from "./opened.ts";

test("what a simulated run did is what training data shows, once it was approved", async () => {
  const atlas = await opened(folderForTest());
  const model = simulatedModel();
  const agent = modelAgent(model, { name: "reviewer", systemPrompt: QUICKSTART_SYSTEM_PROMPT });
  const results = [];
  for (const { task, groundTruth } of QUICKSTART_TASKS) {
    const options = { task, groundTruth, agent, teacher: model, judge: model, learningKey: "security" };
    const result = await atlas.run(options);
    await result.durable;
    results.push(result);
  }
  await atlas.settled();

  expect(await getTrainingSessions(atlas.db)).toEqual([]);
  const newestFirst = [...results].reverse().map(({ sessionId }) => sessionId);
  const pending = await getTrainingSessions(atlas.db, { reviewStatusFilters: ["pending"], simulated: true });
  expect(pending).toHaveLength(QUICKSTART_TASKS.length);

  await approveAll(atlas);
  const traces = [];
  for await (const trace of streamTraces(atlas.db, { simulated: true })) traces.push(trace);
  expect(traces.map(({ session_id }) => session_id)).toEqual(newestFirst);
  for (const trace of traces) {
    const result = results.find(({ sessionId }) => sessionId === trace.session_id)!;
    expect(trace.started?.simulated).toBe(true);
    expect(trace.status).toBe(result.status);
    expect(trace.reward?.score).toBe(result.reward?.score);
  }
  const approved = await getTrainingSessions(atlas.db, { minReward: 0.5, simulated: true });
  expect(approved).toHaveLength(results.filter(({ reward }) => (reward?.score ?? 0) >= 0.5).length);
});
