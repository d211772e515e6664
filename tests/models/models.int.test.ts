import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AtlasError, explain, isAtlasError } from "../../errors/atlas-error.ts";
import { anthropicModel } from "../../models/anthropic.ts";
import { geminiModel } from "../../models/gemini.ts";
import type { ModelClient, ModelRequest } from "../../models/model-client.ts";
import { openaiModel } from "../../models/openai.ts";
import { eventually } from "../eventually.ts";
import { type Answer, closedPort, completion, json, startModelServer } from "./model-server.ts";

const KEY = "canary-key-0123456789";
const ASK: ModelRequest = { messages: [{ role: "user", content: "hello" }] };

beforeEach(() => {
  vi.stubEnv("OPENAI_API_KEY", KEY);
  vi.stubEnv("ANTHROPIC_API_KEY", KEY);
  vi.stubEnv("GEMINI_API_KEY", KEY);
});
afterEach(() => vi.unstubAllEnvs());

async function failureOf(client: ModelClient, signal?: AbortSignal): Promise<AtlasError> {
  const error: unknown = await client.complete(ASK, { signal }).then(
    () => new Error("it answered"),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AtlasError);
  return error as AtlasError;
}

test("an OpenAI-compatible server gets the request, and its answer comes back whole", async () => {
  const message = {
    reasoning_content: "let me think",
    tool_calls: [{ id: "call_1", type: "function", function: { name: "search", arguments: '{"q": "x"}' } }],
    provider_field: { kept: true },
  };
  const usage = {
    prompt_tokens: 30,
    completion_tokens: 9,
    total_tokens: 39,
    completion_tokens_details: { reasoning_tokens: 4 },
    prompt_tokens_details: { cached_tokens: 20 },
  };
  await using server = await startModelServer((_, response) =>
    json(response, completion("hi", message, usage)),
  );
  const client = openaiModel({ model: "asked-model", baseUrl: server.url });
  const tools = [{ name: "search", description: "finds", parameters: { type: "object", properties: {} } }];
  const reply = await client.complete({
    ...ASK,
    tools,
    json: true,
    temperature: 0.2,
    topP: 0.9,
    maxTokens: 50,
    promptVersion: "never sent",
  });
  expect(reply).toEqual({
    content: "hi",
    toolCalls: [{ id: "call_1", name: "search", arguments: '{"q": "x"}' }],
    message: { role: "assistant", content: "hi", ...message },
    reasoning: "let me think",
    usage: { promptTokens: 30, completionTokens: 9, totalTokens: 39, reasoningTokens: 4, cachedTokens: 20 },
    model: "served-model-2",
    finishReason: "stop",
  });
  expect(server.requests[0]?.path).toBe("/v1/chat/completions");
  expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  expect(server.requests[0]?.body).toEqual({
    model: "asked-model",
    messages: ASK.messages,
    temperature: 0.2,
    top_p: 0.9,
    max_tokens: 50,
    response_format: { type: "json_object" },
    tools: [{ type: "function", function: tools[0] }],
  });
});

test("what is left out of a request is left to the provider", async () => {
  await using server = await startModelServer((_, response) => json(response, completion(null)));
  const reply = await openaiModel({ model: "m", baseUrl: server.url }).complete(ASK);
  expect(Object.keys(server.requests[0]?.body ?? {}).sort()).toEqual(["messages", "model"]);
  expect(reply.content).toBe("");
});

test("a server of one's own needs no key", async () => {
  vi.stubEnv("OPENAI_API_KEY", "");
  await using server = await startModelServer((_, response) => json(response, completion("hi")));
  expect((await openaiModel({ model: "m", baseUrl: server.url }).complete(ASK)).content).toBe("hi");
});

test("a missing key is named, before anything is sent", async () => {
  vi.stubEnv("OPENAI_API_KEY", "");
  vi.stubEnv("ANTHROPIC_API_KEY", "");
  vi.stubEnv("OPENAI_BASE_URL", "");
  expect(explain(await failureOf(openaiModel({ model: "m" })))).toMatch(/Set OPENAI_API_KEY/);
  expect(explain(await failureOf(anthropicModel({ model: "m" })))).toMatch(/Set ANTHROPIC_API_KEY/);
  const other = openaiModel({ model: "m", baseUrl: "http://127.0.0.1:1/v1", apiKeyEnv: "MY_UNSET_KEY" });
  expect(explain(await failureOf(other))).toMatch(/Set MY_UNSET_KEY/);
});

test("a rate limit and a failing server are retried", async () => {
  const statuses = [429, 503];
  await using server = await startModelServer((_, response) => {
    const status = statuses.shift();
    if (status === undefined) json(response, completion("at last"));
    else json(response, { error: { message: "later" } }, status, { "retry-after-ms": "5" });
  });
  const reply = await openaiModel({ model: "m", baseUrl: server.url }).complete(ASK);
  expect(reply.content).toBe("at last");
  expect(server.requests).toHaveLength(3);
});

test.each([
  [429, "UNAVAILABLE", true],
  [500, "UNAVAILABLE", true],
  [400, "FAILED", false],
  [422, "FAILED", false],
  [401, "UNAVAILABLE", false],
  [402, "UNAVAILABLE", false],
  [403, "UNAVAILABLE", false],
  [404, "UNAVAILABLE", false],
])("status %i ends as ATLAS_MODEL_%s, retryable: %s, without the key", async (status, code, retryable) => {
  await using server = await startModelServer(({ headers }, response) =>
    json(
      response,
      { error: { message: `refused ${headers.authorization} sk-proj-abcdefghijklmnop` } },
      status,
    ),
  );
  const baseUrl = server.url.replace("://", "://user:secret@").concat("?key=secret");
  for (const client of [
    openaiModel({ model: "m", baseUrl: server.url, maxRetries: 0 }),
    geminiModel({ model: "m", baseUrl: server.url, maxRetries: 0 }),
    anthropicModel({ model: "m", baseUrl: server.url, maxRetries: 0 }),
  ]) {
    const error = await failureOf(client);
    expect(error.code).toBe(`ATLAS_MODEL_${code}`);
    expect(error.retryable).toBe(retryable);
    expect(error.message).toContain(String(status));
    expect(`${error.stack} ${explain(error)} ${JSON.stringify(error)} ${String(error.cause)}`).not.toMatch(
      new RegExp(`${KEY}|sk-proj`),
    );
  }
  const error = await failureOf(openaiModel({ model: "m", baseUrl, maxRetries: 0 }));
  expect(explain(error)).not.toContain("secret");
});

test("a server that is not there, is too slow or hangs up is unavailable; one that sends nonsense is a failed model", async () => {
  await using slow = await startModelServer(() => {});
  await using rude = await startModelServer((_, response) => void response.destroy());
  await using broken = await startModelServer((_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end('{"choices": [');
  });
  await using empty = await startModelServer((_, response) => json(response, { choices: [] }));
  const at = (baseUrl: string, timeoutMs?: number) =>
    openaiModel({ model: "m", baseUrl, maxRetries: 0, timeoutMs });
  const gone = await failureOf(at(`http://127.0.0.1:${await closedPort()}/v1`));
  const unavailable = { code: "ATLAS_MODEL_UNAVAILABLE", retryable: true };
  expect(gone).toMatchObject(unavailable);
  expect(await failureOf(at(slow.url, 100))).toMatchObject(unavailable);
  expect(await failureOf(at(rude.url))).toMatchObject(unavailable);
  expect(await failureOf(at(broken.url))).toMatchObject({ code: "ATLAS_MODEL_FAILED", retryable: false });
  expect((await failureOf(at(empty.url))).message).toMatch(/without a choice/);
});

test("an aborted call ends at once with the signal's reason, also between retries", async () => {
  const slow: Answer = () => {};
  const busy: Answer = (_, response) => json(response, {}, 429, { "retry-after": "50" });
  for (const answer of [slow, busy])
    for (const make of [openaiModel, anthropicModel]) {
      // One of its own: who asks a server that rests is not heard until it has rested.
      await using server = await startModelServer(answer);
      const controller = new AbortController();
      const reason = new AtlasError("ATLAS_CANCELLED", "stop");
      void eventually(() => expect(server.requests).toHaveLength(1)).then(() => controller.abort(reason));
      expect(await failureOf(make({ model: "m", baseUrl: server.url }), controller.signal)).toBe(reason);
    }
});

test("a server that refuses JSON mode is asked without it, from then on", async () => {
  await using server = await startModelServer(({ body }, response) =>
    "response_format" in body
      ? json(response, { error: { message: "'response_format.type' must be 'json_schema' or 'text'" } }, 400)
      : json(response, completion("{}")),
  );
  const client = openaiModel({ model: "m", baseUrl: server.url });
  expect((await client.complete({ ...ASK, json: true })).content).toBe("{}");
  await client.complete({ ...ASK, json: true });
  expect(server.requests.map(({ body }) => "response_format" in body)).toEqual([true, false, false]);
});

test("Gemini is reached through its OpenAI-compatible endpoint, under its own name", async () => {
  await using server = await startModelServer((_, response) => json(response, completion("hi")));
  const client = geminiModel({ model: "gemini-x", baseUrl: server.url });
  expect(client.provider).toBe("gemini");
  expect((await client.complete(ASK)).content).toBe("hi");
  expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
});

test("Anthropic gets system prompt, tools and results in its own shape, and its own blocks back", async () => {
  const blocks = [
    { type: "thinking", thinking: "hm", signature: "sig" },
    { type: "text", text: "I will search." },
    { type: "tool_use", id: "toolu_1", name: "search", input: { q: "x" } },
  ];
  const usage = {
    input_tokens: 10,
    output_tokens: 6,
    cache_read_input_tokens: 5,
    cache_creation_input_tokens: 2,
  };
  await using server = await startModelServer((_, response) =>
    json(response, {
      id: "msg",
      type: "message",
      role: "assistant",
      model: "claude-y",
      content: blocks,
      stop_reason: "tool_use",
      usage,
    }),
  );
  const client = anthropicModel({ model: "claude-x", baseUrl: server.url });
  const system = { role: "system" as const, content: "be kind" };
  const tools = [{ name: "search", parameters: { properties: { q: { type: "string" } } } }];
  const first = await client.complete({ messages: [system, ...ASK.messages], tools });
  expect(first).toMatchObject({
    content: "I will search.",
    reasoning: "hm",
    toolCalls: [{ id: "toolu_1", name: "search", arguments: '{"q":"x"}' }],
    usage: { promptTokens: 17, completionTokens: 6, totalTokens: 23, cachedTokens: 5 },
    model: "claude-y",
    finishReason: "tool_use",
  });
  const result = { role: "tool" as const, tool_call_id: "toolu_1", content: "found" };
  await client.complete({ messages: [system, ...ASK.messages, first.message, result] });
  expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  expect(server.requests[0]?.body).toMatchObject({
    model: "claude-x",
    system: "be kind",
    messages: [{ role: "user", content: "hello" }],
    tools: [{ name: "search", input_schema: { type: "object", properties: { q: { type: "string" } } } }],
  });
  expect(server.requests[1]?.body["messages"]).toEqual([
    { role: "user", content: "hello" },
    { role: "assistant", content: blocks },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "found" }] },
  ]);
});

test("a failed model is told apart from other errors", async () => {
  const baseUrl = `http://127.0.0.1:${await closedPort()}/v1`;
  const error = await failureOf(openaiModel({ model: "m", baseUrl, maxRetries: 0 }));
  expect(isAtlasError(error, "ATLAS_MODEL_UNAVAILABLE")).toBe(true);
  expect(explain(error)).toMatch(/openai m: .*ECONNREFUSED.*\(http:\/\/127\.0\.0\.1:\d+\/v1\)/);
});
