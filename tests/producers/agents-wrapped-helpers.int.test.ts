import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { wrapAnthropic } from "../../producers/agents/wrap-anthropic.ts";
import { wrapOpenAI } from "../../producers/agents/wrap-openai.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { completion, json, startModelServer } from "../models/model-server.ts";
import { ANTHROPIC_EVENTS, OPENAI_CHUNKS, sse } from "../models/model-streams.ts";
import { only } from "../recording/memory-log.ts";
import { run } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const both = { teacher: model, judge: model };
const user = { role: "user" as const, content: "hello" };
const students = (events: readonly AtlasEvent[]) =>
  only(events, "ModelCallEnded").filter(({ role }) => role === "student");

/** A server that streams where it is asked to, and calls a tool unless it got a result. */
const serve = () =>
  startModelServer(({ body, path }, response) => {
    if (body["model"] === "bad") return json(response, { error: { message: "no" } }, 400);
    const anthropic = path.endsWith("/messages");
    if (body["stream"] === true) return sse(response, anthropic ? ANTHROPIC_EVENTS : OPENAI_CHUNKS);
    if (anthropic)
      return json(response, {
        ...{ id: "msg", type: "message", role: "assistant", model: "claude-y", stop_reason: "end_turn" },
        ...{ content: [{ type: "text", text: '{"a":1}' }], usage: { input_tokens: 2, output_tokens: 1 } },
      });
    const done = (body["messages"] as unknown[]).length > 1 || body["tools"] === undefined;
    const call = { id: "c", type: "function", function: { name: "now", arguments: "{}" } };
    json(response, done ? completion('{"a":1}') : completion(null, { tool_calls: [call] }));
  });

test("the helpers of the openai SDK are recorded: parse, stream, runTools, withResponse", async () => {
  await using server = await serve();
  const agent = functionAgent(async (_task, _input, ctx) => {
    const raw = new OpenAI({ apiKey: "k", baseURL: server.url, maxRetries: 0 });
    const { completions } = wrapOpenAI(raw, ctx).chat;
    const ask = { model: "m", messages: [user] };
    const parsed = await completions.parse({ ...ask, response_format: { type: "json_object" } });
    expect(parsed.choices[0]?.message.content).toBe('{"a":1}');
    const final = await completions.stream(ask).finalChatCompletion();
    expect(final.choices[0]?.message.content).toBe("Hello");
    const tool = { name: "now", description: "d", parameters: { type: "object" }, function: () => "noon" };
    const ran = completions.runTools({ ...ask, tools: [{ type: "function", function: tool }] });
    expect(await ran.finalContent()).toBe('{"a":1}');
    const { data, response } = await completions.create(ask).withResponse();
    expect([data.choices[0]?.message.content, response.status]).toEqual(['{"a":1}', 200]);
    const bad = completions.create({ ...ask, model: "bad" }).withResponse();
    await expect(bad).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(completions.stream({ ...ask, model: "bad" }).finalContent()).rejects.toThrow(/no/);
    return "done";
  });
  const { result, events } = await run({ agent, ...both });
  expect(result, String(result.error)).toMatchObject({ status: "succeeded" });
  expect(students(events).map(({ content, error }) => [content, error === null])).toEqual([
    ['{"a":1}', true],
    ["Hello", true],
    ["", true],
    ['{"a":1}', true],
    ['{"a":1}', true],
    [null, false],
    [null, false],
  ]);
});

test("the helpers of Anthropic's SDK are recorded: stream, parse, withResponse", async () => {
  await using server = await serve();
  const agent = functionAgent(async (_task, _input, ctx) => {
    const raw = new Anthropic({ apiKey: "k", baseURL: server.url.replace(/\/v1$/, ""), maxRetries: 0 });
    const { messages } = wrapAnthropic(raw, ctx);
    const ask = { model: "claude-x", max_tokens: 9, messages: [user] };
    const stream = messages.stream(ask);
    let text = "";
    stream.on("text", (piece) => (text += piece));
    const final = await stream.finalMessage();
    expect([text, final.content.length]).toEqual(["I search.", 3]);
    const { data, response } = await messages.create(ask).withResponse();
    expect([data.stop_reason, response.status]).toEqual(["end_turn", 200]);
    await messages.parse(ask);
    await expect(messages.stream({ ...ask, model: "bad" }).finalMessage()).rejects.toThrow(/400/);
    return "done";
  });
  const { result, events } = await run({ agent, ...both });
  expect(result, String(result.error)).toMatchObject({ status: "succeeded" });
  expect(students(events).map(({ content, error }) => [content, error === null])).toEqual([
    ["I search.", true],
    ['{"a":1}', true],
    ['{"a":1}', true],
    [null, false],
  ]);
});

const RESPONSE = {
  id: "resp_1",
  object: "response",
  model: "gpt-x-1",
  status: "completed",
  output: [
    { id: "r", type: "reasoning", summary: [{ type: "summary_text", text: "hm" }] },
    { id: "f", type: "function_call", call_id: "c", name: "now", arguments: '{"z":1}' },
    {
      ...{ id: "m", type: "message", role: "assistant", status: "completed" },
      content: [{ type: "output_text", text: "Hello", annotations: [] }],
    },
  ],
  usage: {
    ...{ input_tokens: 5, output_tokens: 4, total_tokens: 9 },
    input_tokens_details: { cached_tokens: 2 },
    output_tokens_details: { reasoning_tokens: 1 },
  },
};
const delta = (text: string) => ({
  ...{ type: "response.output_text.delta", item_id: "m", output_index: 0, content_index: 0 },
  delta: text,
});
const begun = { type: "response.created", response: { ...RESPONSE, status: "in_progress", output: [] } };

const STREAM: { type?: string }[] = [
  begun,
  delta("Hel"),
  delta("lo"),
  { type: "response.completed", response: RESPONSE } as object,
];

test("calls of OpenAI's Responses API are recorded, whole and streamed", async () => {
  await using server = await startModelServer(({ body }, response) =>
    body["stream"] === true ? sse(response, STREAM) : json(response, RESPONSE),
  );
  const agent = functionAgent(async (_task, _input, ctx) => {
    const { responses } = wrapOpenAI(new OpenAI({ apiKey: "k", baseURL: server.url, maxRetries: 0 }), ctx);
    const input = [user, { type: "function_call_output" as const, call_id: "c", output: "noon" }];
    const answer = await responses.create({
      model: "m",
      instructions: "be kind",
      input,
      max_output_tokens: 9,
    });
    expect(answer.output_text).toBe("Hello");
    for await (const _event of await responses.create({ model: "m", input: "hello", stream: true }));
    for await (const { type } of await responses.create({ model: "m", input: "hello", stream: true }))
      if (type === "response.output_text.delta") break;
    await responses.parse({ model: "m", input: "hello" });
    return "done";
  });
  const { result, events } = await run({ agent, ...both });
  expect(result, String(result.error)).toMatchObject({ status: "succeeded" });
  const [asked] = only(events, "ModelCallStarted");
  expect(JSON.parse(asked!.messages)).toEqual([
    { role: "system", content: "be kind" },
    user,
    { role: "tool", tool_call_id: "c", content: "noon" },
  ]);
  const whole = {
    ...{ content: "Hello", reasoning: "hm", model: "gpt-x-1", finish_reason: "completed", error: null },
    usage: { prompt_tokens: 5, total_tokens: 9, cached_tokens: 2, reasoning_tokens: 1 },
  };
  const calls = students(events);
  expect(calls).toMatchObject([whole, whole, { content: "Hel", finish_reason: null }, whole]);
  expect(JSON.parse(calls[0]!.tool_calls!)).toEqual([
    { id: "c", type: "function", function: { name: "now", arguments: '{"z":1}' } },
  ]);
});
