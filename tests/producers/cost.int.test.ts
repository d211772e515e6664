import OpenAI from "openai";
import { expect, test } from "vitest";
import { openaiModel } from "../../models/openai.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import { wrapOpenAI } from "../../producers/agents/wrap-openai.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { type Answer, completion, json, startModelServer } from "../models/model-server.ts";
import { only } from "../recording/memory-log.ts";
import { INVALID, run, SCORE, startRoles, VALID } from "./sessions.ts";

/** Each call takes 11 tokens of input and 7 of output. */
const PRICES = { served: { input: 2, output: 10 } };
const ONE_CALL = 0.000092;

const costs = (events: readonly AtlasEvent[]) => only(events, "ModelCallEnded").map(({ cost }) => cost);

test("every call is counted by role and attempt, and costs what its model's price says", async () => {
  const roles = await startRoles({ teacher: [INVALID, VALID] });
  const { result, events } = await run({ ...roles, prices: PRICES });
  expect(costs(events)).toEqual(Array(5).fill(ONE_CALL));
  expect(result.cost).toBe(0.00046);
  expect(result.tokens).toMatchObject({
    calls: 5,
    failed: 0,
    retries: 0,
    total: 90,
    byRole: { student: { calls: 2, cost: 0.000184 }, teacher: { calls: 2 }, judge: { calls: 1 } },
  });
  expect(only(events, "SessionEnded")[0]).toMatchObject({
    usage: { total_tokens: 72, calls: 4 },
    cost: 0.000368,
  });
  expect(only(events, "AttemptEnded").map(({ usage }) => usage?.calls)).toEqual([1, 1]);
  const places = only(events, "ModelCallEnded").map(({ role, step_id, attempt }) => [role, step_id, attempt]);
  expect(places).toEqual([
    ["student", 1, 1],
    ["teacher", 1, 1],
    ["student", 1, 2],
    ["teacher", 1, 2],
    ["judge", null, null],
  ]);
});

test("a price that is not known leaves the cost out, and never makes it 0", async () => {
  const unpriced = await run(await startRoles());
  expect(costs(unpriced.events)).toEqual([null, null, null]);
  expect(unpriced.result).not.toHaveProperty("cost");
  expect(only(unpriced.events, "SessionEnded")[0]?.cost).toBeNull();
  const other = await run({ ...(await startRoles()), prices: { gpt: { input: 1, output: 1 } } });
  expect(other.result).not.toHaveProperty("cost");
});

test("what the server itself tells of the cost goes before a price", async () => {
  const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18, cost: 0.5 };
  const student: Answer = (_, response) => json(response, completion("hi", {}, usage));
  const { result, events } = await run({ ...(await startRoles({ student })), prices: PRICES });
  expect(costs(events)).toEqual([0.5, ONE_CALL, ONE_CALL]);
  expect(result.cost).toBe(0.500184);
});

test("cached and reasoning tokens are kept, call by call and in every sum", async () => {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 10,
    total_tokens: 110,
    prompt_tokens_details: { cached_tokens: 60 },
    completion_tokens_details: { reasoning_tokens: 4 },
  };
  const student: Answer = (_, response) => json(response, completion("hi", {}, usage));
  const prices = { served: { input: 10, cachedInput: 1, output: 20 } };
  const { result, events } = await run({ ...(await startRoles({ student })), prices });
  expect(result.tokens.byRole.student).toMatchObject({ cached: 60, reasoning: 4, cost: 0.00066 });
  const kept = { cached_tokens: 60, reasoning_tokens: 4 };
  expect(only(events, "AttemptEnded")[0]?.usage).toMatchObject(kept);
  expect(only(events, "SessionEnded")[0]?.usage).toMatchObject(kept);
});

test("tries are counted, and a call that fails is a call", async () => {
  const statuses = [429, 503];
  await using server = await startModelServer(({ body }, response) => {
    const status = body["model"] === "student" ? statuses.shift() : undefined;
    if (status !== undefined) json(response, {}, status, { "retry-after-ms": "1" });
    else if (body["model"] === "teacher") json(response, { error: { message: "no" } }, 400);
    else json(response, completion(body["model"] === "judge" ? SCORE : "hi"));
  });
  const client = (model: string) => openaiModel({ model, baseUrl: server.url });
  const { result, events } = await run({
    agent: modelAgent(client("student")),
    teacher: client("teacher"),
    judge: client("judge"),
    prices: { ...PRICES, teacher: { input: 1, output: 1 } },
  });
  expect(only(events, "ModelCallEnded").map(({ role, tries, cost }) => [role, tries, cost])).toEqual([
    ["student", 3, ONE_CALL],
    ["teacher", 1, 0],
    ["judge", 1, ONE_CALL],
  ]);
  expect(result.tokens).toMatchObject({ calls: 3, failed: 1, retries: 2 });
  expect(result.tokens.byRole.teacher).toEqual({ calls: 1, failed: 1, retries: 0, cost: 0 });
  expect(result.cost).toBe(0.000184);
});

test("what a call that broke off cost nobody knows", async () => {
  const teacher: Answer = () => {};
  const roles = await startRoles({ teacher });
  const { result, events } = await run({ ...roles, prices: PRICES, modelTimeoutMs: 2000 });
  expect(only(events, "ModelCallEnded")[1]).toMatchObject({ role: "teacher", cost: null, usage: null });
  expect(result).not.toHaveProperty("cost");
  expect(result.tokens).toMatchObject({ calls: 3, failed: 1 });
});

test("calls of a wrapped client are counted like all others, also those that are never awaited", async () => {
  await using server = await startModelServer((_, response) => json(response, completion("hi")));
  const roles = await startRoles();
  const agent = functionAgent(async (_task, _input, ctx) => {
    const client = wrapOpenAI(new OpenAI({ apiKey: "none", baseURL: server.url }), ctx);
    const ask = { model: "served-x", messages: [{ role: "user" as const, content: "hello" }] };
    await client.chat.completions.create(ask);
    void client.chat.completions.create(ask).catch(() => {});
    return "done";
  });
  const { result, events } = await run({ ...roles, agent, prices: PRICES });
  expect(costs(events).slice(0, 2)).toEqual([ONE_CALL, null]);
  expect(result.tokens.calls).toBe(only(events, "ModelCallEnded").length);
  expect(result.tokens.byRole.student).toMatchObject({ calls: 2, failed: 1, total: 18 });
  expect(only(events, "AttemptEnded")[0]?.usage).toMatchObject({ calls: 2 });
});
