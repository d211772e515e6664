import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { readHistory } from "../../app/learning-history.ts";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { completion, json, startModelServer } from "../models/model-server.ts";
import { run, startRoles } from "../producers/sessions.ts";
import { only } from "../recording/memory-log.ts";
import { folderForTest, opened } from "./opened.ts";

const scored = (score: number) =>
  JSON.stringify({ score, uncertainty: 0.1, rationale: "r", principles: [{ name: "p", weight: 1 }] });

test("a probe sees the rewarded sessions of its learning key, oldest first, and no simulated or foreign ones", async () => {
  vi.stubEnv("OPENAI_API_KEY", "sk-test");
  onTestFinished(() => void vi.unstubAllEnvs());
  await using server = await startModelServer((_, response) =>
    json(response, completion('{"mode": "auto", "confidence": 0.9}')),
  );
  const lane = { probe: { model: "p", baseUrl: server.url, retries: 0 }, historyLimit: 2 };
  const atlas = await opened(folderForTest(), { lane, learningKey: "k" });
  const { agent, teacher, judge } = await startRoles({ judge: [0.3, 0.9, 0.6].map(scored) });
  const roles = { agent, teacher, judge };

  const first = await atlas.run({ task: "t", ...roles });
  expect(first.lane).toBe("paired");
  expect(server.requests).toEqual([]);
  const model = simulatedModel();
  await atlas.run({ task: "t", agent: modelAgent(model), teacher: model, judge: model });
  await atlas.run({ task: "t", ...roles, learningKey: "another" });
  await atlas.run({ task: "t", ...roles });
  await atlas.settled();

  const entries = await readHistory(atlas.db)("k");
  expect(entries.map(({ score }) => score)).toEqual([0.3, 0.6]);
  expect(entries[0]).toMatchObject({ uncertainty: 0.1, createdAt: expect.stringMatching(/Z$/) });
  expect(Date.parse(entries[0]!.completedAt!)).toBeGreaterThanOrEqual(Date.parse(entries[0]!.createdAt!));
  expect(await readHistory(atlas.db)("nobody's")).toEqual([]);

  const last = await atlas.run({ task: "t", ...roles });
  expect(last.lane).toBe("auto");
  const [, user] = server.requests[0]!.body["messages"] as { content: string }[];
  expect(JSON.parse(user!.content).learning_history).toMatchObject({
    count: 2,
    scores: [0.3, 0.6],
    limit: 2,
  });
  vi.stubEnv("ATLAS_OFFLINE_MODE", "1");
  expect(await readHistory(atlas.db)("k")).toHaveLength(3);
});

test("read models that cannot be read cost a warning and the probe, never the run", async () => {
  const db = await openEmbedded(join(folderForTest(), ".atlas"));
  onTestFinished(() => db.close());
  const warned: string[] = [];
  const spy = vi
    .spyOn(process, "emitWarning")
    .mockImplementation((warning) => void warned.push(String(warning)));
  onTestFinished(() => spy.mockRestore());
  const { agent, teacher, judge } = await startRoles();
  const history = readHistory(db);
  for (const _ of [1, 2]) {
    const { result, events } = await run({ agent, teacher, judge, history, lane: {} });
    expect(result.status).toBe("succeeded");
    expect(only(events, "LaneSelected")).toMatchObject([{ lane: "paired", reason: "history_unavailable" }]);
  }
  expect(warned).toEqual([
    expect.stringMatching(/^lanes: lanes are chosen without history: 42P01: .*sessions/),
  ]);
});
