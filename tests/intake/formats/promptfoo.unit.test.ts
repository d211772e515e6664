import { describe, expect, test } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { callsOf, conversationsOf, messagesOf } from "./conversations.ts";

const TOOL = {
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: {} } },
};
const GRADING = {
  pass: false,
  score: 0.25,
  reason: "Expected output to mention rain",
  namedScores: { accuracy: 0.5 },
  tokensUsed: { total: 0, prompt: 0, completion: 0 },
  componentResults: [
    {
      pass: false,
      score: 0.25,
      reason: "Expected output to mention rain",
      assertion: { type: "icontains", value: "rain" },
    },
  ],
};
const result = (rest: Record<string, unknown> = {}) => ({
  id: "res-1",
  promptIdx: 0,
  testIdx: 3,
  promptId: "abc",
  testCase: { vars: { city: "Oslo" }, assert: [{ type: "icontains", value: "rain" }], options: {} },
  provider: { id: "openai:gpt-x", label: "" },
  prompt: { raw: "Weather in Oslo?", label: "Weather in {{city}}?" },
  vars: { city: "Oslo" },
  response: {
    output: "It is sunny.",
    tokenUsage: { total: 12, prompt: 7, completion: 5, numRequests: 1 },
    cached: false,
    finishReason: "stop",
  },
  error: "Expected output to mention rain",
  success: false,
  score: 0.25,
  namedScores: { accuracy: 0.5 },
  latencyMs: 1234,
  cost: 0.0625,
  failureReason: 1,
  gradingResult: GRADING,
  ...rest,
});
const evaluation = (results: unknown[]) => ({
  evalId: "eval-7",
  results: {
    version: 3,
    timestamp: "2025-11-24T16:00:00.000Z",
    prompts: [{ raw: "Weather in {{city}}?", label: "w", metrics: { score: 8.5 } }],
    results,
    stats: { successes: 17, failures: 41 },
  },
  config: { description: "Forecasts", providers: [{ id: "openai:gpt-x", config: { tools: [TOOL] } }] },
  shareableUrl: null,
});
/** Named by a note, since no session has them. */
const WHOLE = Object.fromEntries(
  ["raw", "label", "score", "successes", "failures", "id", "type", "name", "timestamp"].map((name) => [
    name,
    "told",
  ]),
);

test("each result is a session, judged and priced", () => {
  const file = evaluation([
    result(),
    result({ id: "res-2", score: 1, success: true, failureReason: 0, error: null }),
  ]);
  const { formats, sessions, notes } = expectAccountedFor([file], WHOLE);
  expect(formats).toEqual(["promptfoo", "promptfoo"]);
  expect(notes).toEqual(["config, prompts, stats of the evaluation as a whole are in none of its sessions"]);
  expect(sessions[0]).toMatchObject({
    status: "succeeded",
    error: null,
    final_answer: "It is sunny.",
    cost: 0.0625,
    created_at: 1_764_000_000_000_000,
    usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 },
    judgements: [{ judge: "promptfoo", score: 0.25, rationale: "Expected output to mention rain" }],
    started: {
      agent: "openai:gpt-x",
      external_id: "res-1",
      group_id: "eval-7/3/0",
      rollout: 0,
      task: "Weather in Oslo?",
    },
  });
  expect(sessions[1]!.started).toMatchObject({ group_id: "eval-7/3/0", rollout: 1 });
  expect(conversationsOf(file)[0]).toMatchObject({
    tools: [TOOL],
    metadata: {
      vars: { city: "Oslo" },
      evaluation: { evalId: "eval-7", version: 3, description: "Forecasts" },
    },
  });
});

test("what a session is known by does not change with the run around it", () => {
  const other = { ...evaluation([result()]), evalId: "eval-8" };
  expect(onlySession(evaluation([result()])).session_id).toBe(onlySession(other).session_id);
});

test("a result a line, and a summary alone", () => {
  expectAccountedFor([result()], { ...WHOLE });
  expect(onlySession(result()).started).toMatchObject({ group_id: "promptfoo/3/0", rollout: null });
  const { results } = evaluation([result()]);
  expect(onlySession(results).final_answer).toBe("It is sunny.");
});

test("the older table", () => {
  const output = {
    pass: true,
    score: 1,
    text: "It rains.",
    prompt: "Weather in Oslo?",
    latencyMs: 12,
    tokenUsage: { total: 3 },
  };
  const table = {
    head: { prompts: [{ raw: "w", provider: "openai:old" }], vars: ["city"] },
    body: [{ outputs: [output], vars: ["Oslo"] }],
  };
  const file = { results: { version: 1, results: [], table, stats: {} }, config: {} };
  expect(onlySession(file)).toMatchObject({
    final_answer: "It rains.",
    usage: { total_tokens: 3 },
    judgements: [{ score: 1 }],
    started: { agent: "openai:old", task: "Weather in Oslo?" },
  });
  expect(conversationsOf(file)[0]!.metadata).toMatchObject({ vars: { city: "Oslo" }, latencyMs: 12 });
});

describe("what was asked and answered", () => {
  const ask = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Weather in Oslo?" },
  ];
  test.each([
    ["a chat as JSON text", JSON.stringify(ask)],
    ["a request as JSON text", JSON.stringify({ messages: ask })],
  ])("%s", (_, raw) => {
    const row = result({ prompt: { raw, label: "w" } });
    expectAccountedFor([row], WHOLE);
    expect(messagesOf(conversationsOf(row)[0]!).slice(0, 2)).toEqual(ask);
  });

  const call = { id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } };
  test.each([
    ["calls", [call]],
    ["a message", { role: "assistant", content: null, tool_calls: [call] }],
    ["an object with calls", { tool_calls: [call] }],
  ])("%s", (_, output) => {
    const row = result({ response: { output } });
    expectAccountedFor([row], WHOLE);
    expect(callsOf(conversationsOf(row)[0]!)).toEqual(['weather({"city":"Oslo"}) → nothing']);
  });

  test("a structure is written as JSON", () => {
    expect(onlySession(result({ response: { output: { sky: "rain" } } })).final_answer).toBe(
      '{"sky":"rain"}',
    );
  });

  test("a provider that failed is a session that failed; a word for word answer is the truth", () => {
    const row = result({
      response: { error: "429 slow down" },
      failureReason: 2,
      score: 0,
      gradingResult: null,
      testCase: { assert: [{ type: "equals", value: "It rains." }] },
    });
    expectAccountedFor([row], WHOLE);
    expect(onlySession(row)).toMatchObject({ status: "failed", error: "429 slow down", final_answer: null });
    expect(onlySession(row).started!.ground_truth).toBe("It rains.");
  });

  test.each([
    ["success alone", { score: undefined, gradingResult: undefined, success: true, error: null }, 1],
    ["the grading's score", { score: undefined }, 0.25],
  ])("%s", (_, rest, score) => {
    expect(onlySession(result(rest)).judgements).toMatchObject([{ score }]);
  });
});

test("results that are none are told, and a file of them is one sentence", () => {
  const file = evaluation([result(), 5, { ...result(), prompt: { raw: "", label: "w" } }]);
  expect(readValues([file]).notes).toEqual([
    "1 of 3 results are left out: a result is not an object",
    "1 of 3 results are left out: prompt is missing",
    "config, prompts, stats of the evaluation as a whole are in none of its sessions",
  ]);
  expect(readValues([result({ prompt: { raw: "", label: "w" } })]).problems).toEqual(["prompt is missing"]);
});
