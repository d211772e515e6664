import { expect, test } from "vitest";
import { expectAccountedFor, onlySession, readValues } from "./accounts-for.ts";
import { callsOf, conversationsOf, messagesOf } from "./conversations.ts";

const TOOL = {
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: {} } },
};
const call = { id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } };
const USAGE = { prompt_tokens: 40, completion_tokens: 9, total_tokens: 49 };

const payload = (rest: Record<string, unknown> = {}) => ({
  id: "chatcmpl-7",
  trace_id: "t-1",
  call_type: "acompletion",
  cache_hit: false,
  stream: false,
  status: "success",
  custom_llm_provider: "openai",
  startTime: 1_764_000_000.25,
  endTime: 1_764_000_001.5,
  completionStartTime: 1_764_000_001.125,
  response_time: 1.25,
  model: "gpt-x",
  metadata: { user_api_key_team_id: "team-9", user_api_key_alias: null },
  response_cost: 0.00375,
  ...USAGE,
  request_tags: ["prod", "weather"],
  messages: [{ role: "user", content: "Weather in Oslo?" }],
  response: {
    id: "chatcmpl-7",
    created: 1_764_000_001,
    model: "gpt-x-2026",
    object: "chat.completion",
    choices: [
      {
        finish_reason: "tool_calls",
        index: 0,
        message: { role: "assistant", content: null, tool_calls: [call] },
      },
    ],
    usage: { ...USAGE, completion_tokens_details: { reasoning_tokens: 4 } },
  },
  model_parameters: { temperature: 0.5, tools: [TOOL], tool_choice: "auto" },
  error_str: null,
  error_information: { error_code: "", error_class: "", llm_provider: "", error_message: "" },
  ...rest,
});
/** Times that became times of the session, and the number of a status. */
const ELSEWHERE = {
  startTime: "the session's start",
  endTime: "its end",
  status: "the session's status",
};

test("a call is a session: what was asked, the answer, and what it took", () => {
  const { formats, sessions } = expectAccountedFor([payload()], ELSEWHERE);
  expect(formats).toEqual(["litellm"]);
  expect(sessions[0]).toMatchObject({
    status: "succeeded",
    cost: 0.00375,
    duration_us: 1_250_000,
    usage: { prompt_tokens: 40, completion_tokens: 9, total_tokens: 49, reasoning_tokens: 4 },
    started: {
      agent: "gpt-x",
      external_id: "chatcmpl-7",
      tags: ["prod", "weather"],
      tools_source: "declared",
    },
  });
  const [conversation] = conversationsOf(payload());
  expect(conversation!.tools).toEqual([TOOL]);
  expect(conversation!.metadata).toMatchObject({
    user_api_key_team_id: "team-9",
    recorded: { model_parameters: { temperature: 0.5, tool_choice: "auto" }, trace_id: "t-1" },
  });
  expect(messagesOf(conversation!)).toEqual([
    { role: "user", content: "Weather in Oslo?" },
    { role: "assistant", content: null, tool_calls: [call] },
  ]);
});

test("a conversation so far, with its tools called and answered", () => {
  const messages = [
    { role: "user", content: "Weather in Oslo?" },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "c1", content: "rain" },
  ];
  const response = { choices: [{ message: { role: "assistant", content: "It rains." } }] };
  const [conversation] = conversationsOf(payload({ messages, response }));
  expect(callsOf(conversation!)).toEqual(['weather({"city":"Oslo"}) → rain']);
  expect(conversation!.messages.map(({ usage, cost }) => [usage?.total, cost])).toEqual([
    [undefined, undefined],
    [undefined, undefined],
    [undefined, undefined],
    [49, 0.00375],
  ]);
});

test("a call that failed says why, and took nothing that anybody counted", () => {
  const failed = payload({
    status: "failure",
    response: {},
    prompt_tokens: 0,
    completion_tokens: 0,
    total_tokens: 0,
    response_cost: 0,
    error_str: "litellm.RateLimitError: try again later",
    error_information: { error_code: "429", error_class: "RateLimitError", llm_provider: "openai" },
  });
  expectAccountedFor([failed], ELSEWHERE);
  expect(onlySession(failed)).toMatchObject({
    status: "failed",
    error: "litellm.RateLimitError: try again later",
    usage: null,
    final_answer: null,
  });
});

test.each([
  ["messages as JSON text", { messages: JSON.stringify([{ role: "user", content: "Weather in Oslo?" }]) }],
  ["messages as a text", { messages: "Weather in Oslo?" }],
  ["messages as an object", { messages: { messages: [{ role: "user", content: "Weather in Oslo?" }] } }],
  [
    "what a call of Responses was given",
    { messages: null, input: "Weather in Oslo?", call_type: "aresponses" },
  ],
  ["naive times", { startTime: "2025-11-24 16:00:00.250000", endTime: "2025-11-24 16:00:01.500000" }],
  ["no tools, tags or metadata", { model_parameters: {}, request_tags: [], metadata: null }],
  ["the tools of spend logs", { model_parameters: null, optional_params: { tools: [TOOL] } }],
])("%s", (_, rest) => {
  expectAccountedFor([payload(rest)], ELSEWHERE);
  expect(onlySession(payload(rest)).started!.task).toBe("Weather in Oslo?");
});

test.each([
  ["a text", "It rains."],
  ["a message", { role: "assistant", content: "It rains." }],
  [
    "an object of Responses",
    { object: "response", output: [{ type: "message", role: "assistant", content: "It rains." }] },
  ],
  [
    "Anthropic's message",
    {
      type: "message",
      role: "assistant",
      content: [{ type: "text", text: "It rains." }],
      usage: { input_tokens: 3 },
    },
  ],
])("the answer as %s", (_, response) => {
  expect(onlySession(payload({ response })).final_answer).toBe("It rains.");
});

test("a row of the spend logs, and a payload inside of what a callback was given", () => {
  const { id, response_cost, startTime: _, endTime: __, ...rest } = payload();
  const spend = { ...rest, request_id: id, spend: response_cost, startTime: "2025-11-24T16:00:00Z" };
  expect(onlySession(spend)).toMatchObject({ cost: 0.00375, started: { external_id: "chatcmpl-7" } });
  const wrapped = { standard_logging_object: payload(), log_event_type: "successful_api_call" };
  expectAccountedFor([wrapped], ELSEWHERE);
  expect(onlySession(wrapped).started!.external_id).toBe("chatcmpl-7");
});

test("content that was not logged is one sentence", () => {
  const { problems } = readValues([payload({ messages: null }), payload({ messages: [] })]);
  const reason = "messages is missing: the proxy was told not to log them, or the call has none";
  expect(problems).toEqual([reason, reason]);
});
