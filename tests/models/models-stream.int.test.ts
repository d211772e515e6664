import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { anthropicModel } from "../../models/anthropic.ts";
import { openaiModel } from "../../models/openai.ts";
import { completion, json, startModelServer } from "./model-server.ts";
import { ANTHROPIC_EVENTS, OPENAI_CHUNKS, sse } from "./model-streams.ts";

const ASK = { messages: [{ role: "user" as const, content: "hello" }] };

beforeEach(() => {
  vi.stubEnv("OPENAI_API_KEY", "key-0123456789");
  vi.stubEnv("ANTHROPIC_API_KEY", "key-0123456789");
});
afterEach(() => vi.unstubAllEnvs());

test("a streamed answer of OpenAI's API is the answer that would have come whole", async () => {
  await using server = await startModelServer((_, response) => sse(response, OPENAI_CHUNKS));
  const reply = await openaiModel({ model: "m", baseUrl: server.url, stream: true }).complete(ASK);
  expect(server.requests[0]?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  expect(reply).toEqual({
    content: "Hello",
    reasoning: "let me think",
    toolCalls: [
      { id: "call_a", name: "search", arguments: '{"q":"x"}' },
      { id: "call_b", name: "fetch", arguments: "{}" },
    ],
    message: {
      role: "assistant",
      content: "Hello",
      reasoning_content: "let me think",
      tool_calls: [
        {
          id: "call_a",
          type: "function",
          function: { name: "search", arguments: '{"q":"x"}' },
          extra_content: { google: { thought_signature: "sig" } },
        },
        { id: "call_b", type: "function", function: { name: "fetch", arguments: "{}" } },
      ],
    },
    model: "served-3",
    finishReason: "tool_calls",
    usage: { promptTokens: 5, completionTokens: 4, totalTokens: 9 },
    tokenIds: { prompt: [1, 2], completion: [7, 8] },
    logprobs: { content: [{ token: "Hel" }, { token: "lo" }] },
  });
});

test("a streamed message of Anthropic's is joined block by block", async () => {
  await using server = await startModelServer((_, response) => sse(response, ANTHROPIC_EVENTS));
  const reply = await anthropicModel({ model: "m", baseUrl: server.url, stream: true }).complete(ASK);
  expect(reply).toMatchObject({
    content: "I search.",
    reasoning: "hm",
    toolCalls: [{ id: "toolu_1", name: "search", arguments: '{"q":"x"}' }],
    finishReason: "tool_use",
    usage: { promptTokens: 10, completionTokens: 6, totalTokens: 16 },
  });
  expect(reply.message["blocks"]).toEqual([
    { type: "thinking", thinking: "hm", signature: "sig" },
    { type: "text", text: "I search." },
    { type: "tool_use", id: "toolu_1", name: "search", input: { q: "x" } },
  ]);
});

test("half a stream is a failed call that may be tried again, not an answer", async () => {
  const half = (all: readonly { type?: string }[]) => (response: ServerResponse) =>
    sse(response, all.slice(0, 2), false);
  await using openai = await startModelServer((_, response) => half(OPENAI_CHUNKS)(response));
  await using anthropic = await startModelServer((_, response) => half(ANTHROPIC_EVENTS)(response));
  for (const client of [
    openaiModel({ model: "m", baseUrl: openai.url, stream: true, maxRetries: 0 }),
    anthropicModel({ model: "m", baseUrl: anthropic.url, stream: true, maxRetries: 0 }),
  ]) {
    await expect(client.complete(ASK)).rejects.toMatchObject({
      code: "ATLAS_MODEL_UNAVAILABLE",
      retryable: true,
    });
  }
});

test("a schema is asked for where it is kept, JSON mode where not, and in the prompt alone elsewhere", async () => {
  const jsonSchema = { type: "object", properties: { a: { type: "string" } } };
  await using strict = await startModelServer((_, response) => json(response, completion("{}")));
  await openaiModel({ model: "m", baseUrl: strict.url }).complete({ ...ASK, jsonSchema });
  expect(strict.requests[0]?.body["response_format"]).toEqual({
    type: "json_schema",
    json_schema: { name: "reply", schema: jsonSchema },
  });
  await using plain = await startModelServer(({ body }, response) =>
    "response_format" in body
      ? json(response, { error: { message: "response_format is not supported" } }, 400)
      : json(response, completion("{}")),
  );
  const client = openaiModel({ model: "m", baseUrl: plain.url });
  await client.complete({ ...ASK, jsonSchema });
  await client.complete({ ...ASK, jsonSchema });
  const formats = plain.requests.map(({ body }) => (body["response_format"] as { type: string })?.type);
  expect(formats).toEqual(["json_schema", "json_object", undefined, undefined]);
});

test("token ids and logprobs come back when they are asked for, and extra fields are sent as they are", async () => {
  await using server = await startModelServer((_, response) => {
    const answer = completion("hi");
    const choice = {
      ...answer.choices[0],
      token_ids: [9],
      logprobs: { content: [{ token: "hi", logprob: -1 }] },
    };
    json(response, { ...answer, choices: [choice], prompt_token_ids: [1, 2] });
  });
  const extra = { seed: 7, logprobs: true, return_token_ids: true };
  const reply = await openaiModel({ model: "m", baseUrl: server.url }).complete({ ...ASK, extra });
  expect(server.requests[0]?.body).toMatchObject(extra);
  expect(reply.tokenIds).toEqual({ prompt: [1, 2], completion: [9] });
  expect(reply.logprobs).toEqual({ content: [{ token: "hi", logprob: -1 }] });
});
