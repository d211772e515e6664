import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import type { ConfigInput } from "../../configs/config-schema.ts";
import { loadConfig } from "../../configs/load-config.ts";
import { type JudgedTrace, scoreTrace } from "../../derivation/score-trace.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { streamTraces } from "../../projections/stream-traces.ts";
import { getTrainingSessions } from "../../projections/training-data.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import type { Scoring } from "../../worker/score/score-route.ts";
import { createScorer } from "../../worker/score/scorer.ts";
import { serveWorker } from "../../worker/worker-server.ts";
import { folderForTest, opened } from "../app/opened.ts";
import { eventsOf } from "../as-readers.ts";
import { type Asked, type JudgeServer, reply, startJudge } from "./judge-server.ts";

const run = promisify(execFile);
const agent = functionAgent(
  async (_task, _input, ctx) => {
    const found = await ctx.tool("look-up", { q: "capital" }, async () => "Paris, says the atlas");
    return `It is ${found}`;
  },
  { name: "mine" },
);
const teacher = simulatedModel();

const config = (server: JudgeServer): Omit<ConfigInput, "log"> => ({
  judges: {
    smallModel: server.model(),
    largeModel: server.model("large"),
    temperatures: [0.2, 0.8],
    list: [
      { name: "process", scope: "both", weight: 3 },
      { name: "helpfulness", focus: "Whether the city is named." },
      { name: "calls", type: "tool_call_budget", max: 1, weight: 0.5 },
      { name: "named", type: "regex", pattern: "Paris", scope: "both" },
    ],
  } as NonNullable<ConfigInput["judges"]>,
});

/** Replies that depend on nothing but what is asked. */
const said = ({ model, prompt, material, temperature }: Asked): string => {
  if (model === "large") return reply({ score: 0.55, uncertainty: 0.2 });
  const spread = prompt.includes("Whether the city is named") ? 0.6 : 0.05;
  const base = material.includes('"other_steps"') ? 0.3 : 0.4;
  return reply({ score: base + spread * Number(temperature), uncertainty: 0.1 });
};

type Serving = Partial<Omit<Scoring, "limits"> & { limits: Partial<Scoring["limits"]> }>;

async function served(source: Omit<ConfigInput, "log">, serving: Serving = {}): Promise<string> {
  const { token, loopback = true, limits, ...scoring } = serving;
  const config = loadConfig(source, {});
  const server = await serveWorker(
    { host: "127.0.0.1", port: 0 },
    {
      health: () => Promise.reject(new Error("not asked")),
      score: { score: createScorer(config), ...scoring, limits: { ...config.score, ...limits } },
      token,
      loopback,
    },
  );
  onTestFinished(() => server.close());
  return `${server.url}/score`;
}

const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

test("a session scored again over HTTP comes to what the log rewarded it with; judges see the same", async () => {
  const server = await startJudge(said);
  const atlas = await opened(folderForTest(), config(server));
  const result = await atlas.run({
    task: "What is the capital of France?",
    agent,
    teacher,
    groundTruth: "Paris",
  });
  await atlas.settled();
  const [rewarded] = await eventsOf(atlas.log, "atlas.rewards", "SessionRewarded");
  expect(rewarded).toBeDefined();
  const { score, statistics, judges, steps, escalations, missing } = rewarded!;
  expect(result.reward?.score).toBe(score);
  expect(judges.map(({ judge, weight }) => [judge, weight])).toEqual([
    ["process", 3],
    ["helpfulness", 1],
    ["calls", 0.5],
    ["named", 1],
  ]);
  expect(judges[1]).toMatchObject({ escalated: true, score: 0.55, samples: 2 });
  expect(judges[1]!.stddev).toBeGreaterThan(0.1);
  const inPipeline = server.asked();

  let line = "";
  for await (const trace of streamTraces(atlas.db, { reviewStatusFilters: "all", simulated: "all" })) {
    line = encodeTrainingLine(trace);
    expect(scoreTrace(trace, atlas.config.rules.rubric)).toMatchObject({
      score,
      statistics,
      judges,
      steps,
      escalations,
      missing,
    });
  }
  const [session] = await getTrainingSessions(atlas.db, {
    reviewStatusFilters: "all",
    simulated: "all",
    includeTrajectoryEvents: true,
  });
  for (const held of [session!, JSON.parse(line) as JudgedTrace])
    expect(scoreTrace(held, atlas.config.rules.rubric)).toMatchObject({
      score,
      statistics,
      judges,
      steps,
      missing,
    });
  server.requests.splice(0);
  const url = await served(config(server));
  const answer = await post(url, { trace: JSON.parse(line) });
  expect(answer.status).toBe(200);
  const scored = (await answer.json()) as Record<string, unknown>;
  expect(scored).toMatchObject({ score, statistics, judges, steps, escalations, missing, simulated: false });
  const bySample = (asked: readonly Asked[]) => asked.map((each) => JSON.stringify(each)).sort();
  expect(bySample(server.asked())).toEqual(bySample(inPipeline));

  const broken = await post(url, {
    trace: JSON.parse(
      line.replace(/"arguments":/g, '"argument":').replace(/\\"arguments\\":/g, '\\"argument\\":'),
    ),
  });
  expect(broken.status).toBe(400);
  expect(await broken.json()).toMatchObject({ error: { code: "ATLAS_REQUEST_INVALID" } });

  const other = await post(url, {
    trace: JSON.parse(line),
    rubric: { weights: { process: 0, helpfulness: 0, named: 0 } },
  });
  expect(await other.json()).toMatchObject({ score: 1 });
});

test("no judge sees an earlier score, wherever a trace holds one", async () => {
  const server = await startJudge(said);
  const atlas = await opened(folderForTest(), config(server));
  const canary = "canary-7319";
  await atlas.run({
    task: "What is the capital of France?",
    agent,
    teacher,
    metadata: { session_reward: canary },
    judges: [
      {
        kind: "function",
        name: canary,
        scope: "both",
        timeoutMs: 1000,
        judge: () => ({ score: 0.7319, rationale: canary }),
      },
    ],
  });
  await atlas.settled();
  let line = "";
  for await (const trace of streamTraces(atlas.db, { reviewStatusFilters: "all", simulated: "all" }))
    line = encodeTrainingLine(trace);
  expect(line).toContain("0.7319");
  const url = await served(config(server));
  expect((await post(url, { trace: JSON.parse(line) })).status).toBe(200);
  expect(server.requests.length).toBeGreaterThan(5);
  const seen = JSON.stringify(server.requests.map(({ body }) => body));
  expect(seen).not.toContain(canary);
  expect(seen).not.toContain("0.7319");
});

test("a bare task and answer are enough; what cannot be read leaves the score absent, never 0", async () => {
  const server = await startJudge(({ material }: Asked) =>
    material.includes("garbage") ? "I would rather not say." : reply({ score: 0.25 }),
  );
  const url = await served({
    judges: {
      smallModel: server.model(),
      temperatures: [null],
      list: [{ name: "helpfulness" }],
    } as NonNullable<ConfigInput["judges"]>,
  });
  const good = await post(url, { trace: { task: "Add", final_answer: "4", ground_truth: "4" } });
  expect(await good.json()).toMatchObject({ score: 0.25, uncertainty: 0.1, missing: [], failures: [] });
  expect(JSON.parse(server.asked()[0]!.material)).toMatchObject({
    task: "Add",
    reference_answer: "4",
    final_answer: "4",
    steps: [{ attempts: [{ answer: "4" }] }],
  });
  const bad = await post(url, { trace: { task: "garbage", final_answer: "4" } });
  expect(bad.status).toBe(200);
  expect(await bad.json()).toMatchObject({
    score: null,
    uncertainty: null,
    statistics: null,
    judges: [],
    missing: ["helpfulness"],
    failures: [{ judge: "helpfulness", reason: expect.stringContaining("could not be read") }],
  });
});

test("requests that are wrong, too large, late or not allowed are told so in JSON with a code", async () => {
  const server = await startJudge(() => new Promise<string>(() => undefined));
  const source = {
    judges: { smallModel: server.model(), list: [{ name: "helpfulness" }] } as NonNullable<
      ConfigInput["judges"]
    >,
  };
  const trace = { task: "t", final_answer: "a" };
  const url = await served(source, { limits: { maxMb: 2000 / 1024 / 1024 }, timeoutMs: 300 });
  const codeOf = async (answer: Response): Promise<[number, string]> => {
    const { error } = (await answer.json()) as { error: { code: string } };
    return [answer.status, error.code];
  };
  expect(await codeOf(await fetch(url))).toEqual([405, "ATLAS_REQUEST_INVALID"]);
  expect(await codeOf(await post(url, "{}", { "content-type": "text/plain" }))).toEqual([
    415,
    "ATLAS_REQUEST_INVALID",
  ]);
  expect(await codeOf(await post(url, "{"))).toEqual([400, "ATLAS_REQUEST_INVALID"]);
  expect(await codeOf(await post(url, { trace: {} }))).toEqual([400, "ATLAS_REQUEST_INVALID"]);
  expect(await codeOf(await post(url, { trace, wibble: 1 }))).toEqual([400, "ATLAS_REQUEST_INVALID"]);
  expect(await codeOf(await post(url, { trace, rubric: { aggregation: "best" } }))).toEqual([
    400,
    "ATLAS_REQUEST_INVALID",
  ]);
  expect(
    await codeOf(
      await post(url, {
        trace: {
          ...trace,
          trajectory_events: [
            {
              event: {
                payload: { metadata: { event: "SessionStarted", event_id: "x", sequence: 1 }, data: {} },
              },
            },
          ],
        },
      }),
    ),
  ).toEqual([400, "ATLAS_REQUEST_INVALID"]);
  expect(await codeOf(await post(url, { trace: { ...trace, final_answer: "a".repeat(3000) } }))).toEqual([
    413,
    "ATLAS_REQUEST_TOO_LARGE",
  ]);
  expect(await codeOf(await post(url, { trace }))).toEqual([504, "ATLAS_DEADLINE_PASSED"]);

  const open = await served(source, { loopback: false });
  expect(await codeOf(await post(open, { trace }))).toEqual([401, "ATLAS_REQUEST_UNAUTHORIZED"]);
  const closed = await served(source, { token: "s3cret", loopback: false, timeoutMs: 200 });
  expect(await codeOf(await post(closed, { trace }))).toEqual([401, "ATLAS_REQUEST_UNAUTHORIZED"]);
  expect(await codeOf(await post(closed, { trace }, { authorization: "Bearer s3cre" }))).toEqual([
    401,
    "ATLAS_REQUEST_UNAUTHORIZED",
  ]);
  expect(await codeOf(await post(closed, { trace }, { authorization: "Bearer s3cret" }))).toEqual([
    504,
    "ATLAS_DEADLINE_PASSED",
  ]);
});

const python = await run("python3", ["--version"]).then(
  () => true,
  () => false,
);

test.runIf(python)(
  "the reward function in Python gives a trainer these scores, and None without one",
  async () => {
    const server = await startJudge(({ material }: Asked) =>
      material.includes("garbage") ? "no" : reply({ score: 0.25 }),
    );
    const url = await served({
      judges: {
        smallModel: server.model(),
        temperatures: [null],
        list: [{ name: "helpfulness" }],
      } as NonNullable<ConfigInput["judges"]>,
    });
    const env = { ...process.env, ATLAS_SCORE_URL: url };
    const script = join(import.meta.dirname, "../../examples/rewards/grpo_reward.py");
    expect((await run("python3", [script, "Add", "4"], { env })).stdout).toBe("[0.25]\n");
    expect((await run("python3", [script, "garbage", "4"], { env })).stdout).toBe("[null]\n");
    const cwd = join(script, "..");
    const code = `
from grpo_reward import atlas_reward
chat = [[{"role": "user", "content": "Add"}]]
print(atlas_reward(chat * 3, [[{"role": "assistant", "content": "4"}]] * 3, ground_truth=["4"] * 3, step=1))`;
    expect((await run("python3", ["-B", "-c", code], { env, cwd })).stdout).toBe("[0.25, 0.25, 0.25]\n");
  },
);
