import { expect, test, vi } from "vitest";
import { rebuild } from "../../app/rebuild.ts";
import type { ConfigInput } from "../../configs/config-schema.ts";
import { loadConfig } from "../../configs/load-config.ts";
import { rescore } from "../../derivation/rescore/rescore.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { httpAgent } from "../../producers/agents/http-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { streamTraces } from "../../projections/stream-traces.ts";
import { DEFAULT_RULES } from "../../schemas/rules.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import { readScoreRequest } from "../../worker/score/score-request.ts";
import { createScorer } from "../../worker/score/scorer.ts";
import { folderForTest, opened } from "../app/opened.ts";
import { eventsOf } from "../as-readers.ts";
import { closedPort } from "../models/model-server.ts";
import { sessionWriter } from "../traces/sessions.ts";
import { reply, startJudge } from "./judge-server.ts";

const teacher = simulatedModel();
const REASON = /^nobody was asked: the session ended in ATLAS_AGENT_UNAVAILABLE/;

test("an outage is judged by nobody: not later, not over HTTP, not by a rescore or a rebuild", async () => {
  const server = await startJudge(() => reply({ score: 0.7 }));
  const config: Omit<ConfigInput, "log"> = {
    judges: {
      mode: "deferred",
      smallModel: server.model(),
      temperatures: [0.2],
      list: [
        { name: "process", scope: "both" },
        { name: "calls", type: "tool_call_budget", max: 1 },
      ],
    } as NonNullable<ConfigInput["judges"]>,
  };
  const atlas = await opened(folderForTest(), config);
  const judged = () => eventsOf(atlas.log, "atlas.sessions", "SessionJudged");
  const untilJudged = (count: number) =>
    vi.waitFor(async () => expect(await judged()).toHaveLength(count), { timeout: 20_000, interval: 100 });

  const agent = httpAgent({ url: `http://127.0.0.1:${await closedPort()}`, maxRetries: 0 });
  const away = await atlas.run({ task: "Say hello", agent, teacher });
  expect(away).toMatchObject({
    status: "failed",
    judgedLater: false,
    error: { code: "ATLAS_AGENT_UNAVAILABLE" },
  });
  await untilJudged(1);

  // One whose process died before it could say so: the log has its end, and no word of judges.
  const { emit, events } = sessionWriter("died");
  emit("SessionStarted", { task: "t", learning_key: "k", agent: "x", judging: "deferred" });
  const error = "ATLAS_AGENT_UNAVAILABLE: the agent's server cannot be reached: gone.";
  emit("SessionEnded", { learning_key: "k", status: "failed", error });
  await atlas.log.append(events.map(atlas.log.mask));
  await untilJudged(2);
  for (const { judgements, missing } of await judged())
    expect({ judgements, missing }).toEqual({ judgements: [], missing: ["process", "calls"] });
  const failures = await eventsOf(atlas.log, "atlas.sessions", "JudgementFailed");
  expect(failures.map(({ judge, reason }) => [judge, REASON.test(reason)])).toEqual([
    ["process", true],
    ["calls", true],
    ["process", true],
    ["calls", true],
  ]);
  expect((await atlas.db.query("select 1 from atlas_log.queue")).rows).toEqual([]);

  await atlas.settled();
  expect(await eventsOf(atlas.log, "atlas.rewards", "SessionRewarded")).toEqual([]);
  const { counts } = await rescore(atlas.log, { rubric: DEFAULT_RULES.rubric, branch: "again" });
  expect(counts).toMatchObject({ sessions: 0, lost: 0 });
  expect(await rebuild(atlas, { derived: true })).toMatchObject({
    derived: { differences: 0, published: 0 },
  });

  const score = createScorer(loadConfig(config, {}));
  let lines = 0;
  for await (const trace of streamTraces(atlas.db, { reviewStatusFilters: "all", simulated: "all" })) {
    const line = JSON.parse(encodeTrainingLine(trace)) as Record<string, unknown>;
    for (const given of [line, { ...line, trajectory_events: undefined }]) {
      const scored = await score(
        readScoreRequest(JSON.stringify({ trace: given })),
        AbortSignal.timeout(60_000),
      );
      expect(scored).toMatchObject({ score: null, statistics: null, missing: ["process", "calls"] });
      expect(scored.failures[0]?.reason).toMatch(REASON);
    }
    lines += 1;
  }
  expect(lines).toBe(2);
  expect(server.requests).toEqual([]);

  const bad = await atlas.run({
    task: "Say hello",
    agent: functionAgent(() => Promise.reject(new Error("a bug")), { name: "mine" }),
    teacher,
  });
  expect(bad).toMatchObject({ status: "failed", judgedLater: true });
  await untilJudged(3);
  expect(server.requests.length).toBeGreaterThan(0);
});
