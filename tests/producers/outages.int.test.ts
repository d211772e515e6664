import OpenAI from "openai";
import { expect, test, vi } from "vitest";
import { AtlasError } from "../../errors/atlas-error.ts";
import { openaiModel } from "../../models/openai.ts";
import type { Agent } from "../../producers/agents/agent.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { httpAgent } from "../../producers/agents/http-agent.ts";
import { langgraphAgent } from "../../producers/agents/langgraph-agent.ts";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import { wrapOpenAI } from "../../producers/agents/wrap-openai.ts";
import type { SessionOptions } from "../../producers/run-session.ts";
import { type Answer, closedPort, completion, json, startModelServer } from "../models/model-server.ts";
import { only } from "../recording/memory-log.ts";
import { planningStudent } from "./lanes.ts";
import { researchGraph } from "./research-graph.ts";
import { run, startRoles } from "./sessions.ts";

const status =
  (code: number, body: unknown = {}): Answer =>
  (_, response) =>
    json(response, body, code, { "retry-after-ms": "1", "retry-after": "0" });
const hangUp: Answer = (_, response) => void response.destroy();
const silent: Answer = () => {};
const ok: Answer = (_, response) => json(response, completion("an answer"));

/** Runs a session whose judge would always give 0.8, and says what came of it. */
async function judgedWith(agent: Agent, options: Partial<SessionOptions> = {}) {
  const roles = await startRoles();
  const { result, events } = await run({ ...roles, ...options, agent });
  return { result, events, judged: roles.asked("judge").length };
}

type Told = Awaited<ReturnType<typeof judgedWith>>;

function expectUnjudged({ result, events, judged }: Told, code: string): void {
  expect(result, String(result.error)).toMatchObject({ status: "failed", error: { code } });
  expect(result.reward).toBeUndefined();
  expect(judged).toBe(0);
  expect(only(events, "JudgementMade")).toEqual([]);
  expect(only(events, "JudgementFailed")).toMatchObject([
    { judge: "session_reward", reason: expect.stringContaining(`the session ended in ${code}`) },
  ]);
  expect(only(events, "SessionJudged")).toMatchObject([{ judgements: [], missing: ["session_reward"] }]);
  expect(only(events, "SessionEnded")[0]?.error).toMatch(new RegExp(`^${code}: `));
}

function expectJudged({ result, judged }: Told, code: string): void {
  expect(result, String(result.error)).toMatchObject({ status: "failed", error: { code } });
  expect(result.reward?.score).toBe(0.8);
  expect(judged).toBe(1);
}

const quick = { maxRetries: 1, timeoutMs: 150 };

test.each([
  ["refuses the connection", async () => `http://127.0.0.1:${await closedPort()}`],
  ["has a name that nobody knows", async () => "http://nowhere.invalid"],
])("an HTTP agent whose server %s leaves the session unjudged", async (_, url) => {
  expectUnjudged(await judgedWith(httpAgent({ url: await url(), ...quick })), "ATLAS_AGENT_UNAVAILABLE");
});

test.each([
  ["never answers", silent],
  ["hangs up", hangUp],
  ["answers 500", status(500)],
  ["answers 503", status(503)],
  ["answers 429", status(429)],
  ["answers 401", status(401)],
  ["answers 404", status(404)],
  ["redirects", status(302)],
])("an HTTP agent whose server %s leaves the session unjudged", async (_, answer) => {
  await using server = await startModelServer(answer);
  expectUnjudged(await judgedWith(httpAgent({ url: server.url, ...quick })), "ATLAS_AGENT_UNAVAILABLE");
});

test("an HTTP agent whose key is not set leaves the session unjudged", async () => {
  vi.stubEnv("NO_SUCH_KEY", "");
  const agent = httpAgent({ url: "http://127.0.0.1:1", apiKeyEnv: "NO_SUCH_KEY" });
  expectUnjudged(await judgedWith(agent), "ATLAS_AGENT_UNAVAILABLE");
});

test.each([
  ["refuses the request with 400", status(400), {}],
  ["refuses the request with 422", status(422), {}],
  ["answers without the answer", ok, { resultPath: "no.such.path" }],
])("an HTTP agent whose server %s is judged", async (_, answer, options) => {
  await using server = await startModelServer(answer);
  expectJudged(await judgedWith(httpAgent({ url: server.url, ...quick, ...options })), "ATLAS_AGENT_FAILED");
});

test.each([
  ["refuses the key with 401", status(401)],
  ["refuses the key with 403", status(403)],
  ["refuses the key with 400, as Gemini does", status(400, { error: { message: "API key not valid." } })],
  ["has no such model", status(404)],
  ["is out of credit", status(429, { error: { message: "no", code: "insufficient_quota" } })],
  ["is overloaded", status(529)],
  ["answers 200 for a router whose model is away", status(200, { error: { message: "bad", code: 502 } })],
])("a model whose provider %s leaves the session unjudged", async (_, answer) => {
  await using server = await startModelServer(answer);
  const agent = modelAgent(openaiModel({ model: "m", baseUrl: server.url, ...quick }));
  expectUnjudged(await judgedWith(agent), "ATLAS_MODEL_UNAVAILABLE");
});

test("a model without its key leaves the session unjudged, and says which variable is missing", async () => {
  vi.stubEnv("NO_SUCH_KEY", "");
  const told = await judgedWith(modelAgent(openaiModel({ model: "m", apiKeyEnv: "NO_SUCH_KEY" })));
  expectUnjudged(told, "ATLAS_MODEL_UNAVAILABLE");
  expect(told.result.error?.hint).toBe("Set NO_SUCH_KEY in the environment.");
});

test.each([
  ["refuses what the request says", status(400, { error: { message: "the context is too long" } })],
  ["answers without an answer", status(200, { choices: [] })],
])("a model whose provider %s is judged", async (_, answer) => {
  await using server = await startModelServer(answer);
  const agent = modelAgent(openaiModel({ model: "m", baseUrl: server.url, ...quick }));
  expectJudged(await judgedWith(agent), "ATLAS_MODEL_FAILED");
});

test("an outage that an SDK of the agent's own reports is one, however the agent throws it on", async () => {
  await using server = await startModelServer(status(401, { error: { message: "no such key" } }));
  const ask = (ctx: Parameters<Parameters<typeof functionAgent>[0]>[2]) =>
    wrapOpenAI(new OpenAI({ apiKey: "k", baseURL: server.url, maxRetries: 0 }), ctx).chat.completions.create({
      model: "m",
      messages: [{ role: "user", content: "hello" }],
    });
  const plain = functionAgent(async (_task, _input, ctx) => String((await ask(ctx)).id), { name: "mine" });
  const wrapping = functionAgent(
    async (_task, _input, ctx) =>
      ask(ctx).then(
        () => "",
        (cause: unknown) => {
          throw new Error("my model is away", { cause });
        },
      ),
    { name: "mine" },
  );
  for (const agent of [plain, wrapping, langgraphAgent(researchGraph(server.url))])
    expectUnjudged(await judgedWith(agent), "ATLAS_MODEL_UNAVAILABLE");
});

test("what the agent's own code throws is judged, also where its tools are out of reach; an agent may say otherwise", async () => {
  const port = await closedPort();
  const throwing = functionAgent(() => Promise.reject(new Error("a bug")), { name: "mine" });
  const fetching = functionAgent(async () => (await fetch(`http://127.0.0.1:${port}`)).text(), {
    name: "mine",
  });
  for (const agent of [throwing, fetching]) expectJudged(await judgedWith(agent), "ATLAS_AGENT_FAILED");
  const saying = functionAgent(
    () => Promise.reject(new AtlasError("ATLAS_AGENT_UNAVAILABLE", "my queue does not answer")),
    { name: "mine" },
  );
  expectUnjudged(await judgedWith(saying), "ATLAS_AGENT_UNAVAILABLE");
});

test("a refusal and an answer about an outage are answers, and judged", async () => {
  for (const said of ["I cannot help with that.", "My tools are out of reach."]) {
    const told = await judgedWith(functionAgent(async () => said, { name: "mine" }));
    expect(told.result).toMatchObject({ status: "succeeded", finalAnswer: said, reward: { score: 0.8 } });
  }
});

test("a deadline that passes while an outage is waited out is that outage; any other is judged", async () => {
  await using limiting = await startModelServer((_, response) =>
    json(response, {}, 503, { "retry-after": "50" }),
  );
  const options = { maxRetries: 3 };
  for (const [agent, code] of [
    [modelAgent(openaiModel({ model: "m", baseUrl: limiting.url, ...options })), "ATLAS_MODEL_UNAVAILABLE"],
    [httpAgent({ url: limiting.url, ...options }), "ATLAS_AGENT_UNAVAILABLE"],
  ] as const) {
    const told = await judgedWith(agent, { deadlineMs: 2000 });
    expectUnjudged(told, code);
    expect(told.result.error?.message).toMatch(/503.*; the session took longer than 2000 ms/);
  }
  const slow = functionAgent(() => new Promise<string>(() => {}), { name: "mine" });
  expectJudged(await judgedWith(slow, { deadlineMs: 50 }), "ATLAS_DEADLINE_PASSED");
});

test.each([
  ["auto", "single_shot"],
  ["auto", "stepwise"],
  ["paired", "single_shot"],
  ["paired", "stepwise"],
  ["coach", "single_shot"],
  ["coach", "stepwise"],
] as const)("an outage leaves a session in the lane %s, %s, unjudged", async (lane, executionMode) => {
  const roles = await startRoles({ student: status(503) });
  const { result, events } = await run({ ...roles, lane: { forced: lane }, executionMode });
  expectUnjudged({ result, events, judged: roles.asked("judge").length }, "ATLAS_MODEL_UNAVAILABLE");
});

test("a plan of which one step met an outage is not judged, though another failed by itself and others gave something", async () => {
  const steps = [
    { id: 1, description: "one." },
    { id: 2, description: "two." },
    { id: 3, description: "three." },
  ];
  const working = planningStudent(steps);
  const failing = new Map([
    ["one.", status(400)],
    ["two.", status(503)],
  ]);
  const student: Answer = (request, response) => {
    const asked = JSON.stringify(request.body["messages"]);
    const [, answer = working] = [...failing].find(([step]) => asked.includes(`\\n${step}"`)) ?? [];
    return answer(request, response);
  };
  const roles = await startRoles({ student });
  const plan = { ...roles, lane: { forced: "auto" }, executionMode: "stepwise" } as const;
  const { result, events } = await run(plan);
  expect(result.finalAnswer).toContain("did three.");
  expectUnjudged({ result, events, judged: roles.asked("judge").length }, "ATLAS_MODEL_UNAVAILABLE");
  failing.delete("two.");
  expectJudged({ ...(await run(plan)), judged: roles.asked("judge").length }, "ATLAS_MODEL_FAILED");
});

test("an answer that the teacher could not look at is judged; a plan that stopped for it is not", async () => {
  const alone = await startRoles({ teacher: status(503) });
  const whole = await run(alone);
  expect(whole.result.finalAnswer).toBe("an answer");
  expectJudged({ ...whole, judged: alone.asked("judge").length }, "ATLAS_ATTEMPT_REJECTED");
  const roles = await startRoles({
    teacher: status(503),
    student: planningStudent([
      { id: 1, description: "one." },
      { id: 2, description: "two.", depends_on: [1] },
    ]),
  });
  const { result, events } = await run({ ...roles, lane: { forced: "paired" }, executionMode: "stepwise" });
  expectUnjudged({ result, events, judged: roles.asked("judge").length }, "ATLAS_MODEL_UNAVAILABLE");
});
