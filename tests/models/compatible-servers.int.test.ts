import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { anthropicModel } from "../../models/anthropic.ts";
import { geminiModel } from "../../models/gemini.ts";
import type { ModelClient } from "../../models/model-client.ts";
import { openaiModel } from "../../models/openai.ts";
import { completion, json, type ModelServer, startModelServer } from "./model-server.ts";
import { sse } from "./model-streams.ts";

const ASK = { messages: [{ role: "user" as const, content: "hello" }] };
type Event = { type?: string };

beforeEach(() => {
  for (const name of ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"])
    vi.stubEnv(name, "key-0123456789");
});
afterEach(() => vi.unstubAllEnvs());

const chunk = (delta: object): Event =>
  ({ id: "c", object: "chat.completion.chunk", model: "m", choices: [{ index: 0, delta }] }) as Event;
const callChunk = (args: string) =>
  chunk({
    tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "list", arguments: args } }],
  });
const begun = {
  ...{ type: "message_start" },
  message: { id: "m", model: "m", content: [], stop_reason: null, usage: { input_tokens: 1 } },
};
const block = (content_block: object) => ({ type: "content_block_start", index: 0, content_block });
const delta = (delta: object) => ({ type: "content_block_delta", index: 0, delta });
const text = (text: string) => [block({ type: "text", text: "" }), delta({ type: "text_delta", text })];
const tool = (partial_json: string) => [
  block({ type: "tool_use", id: "a", name: "list", input: {} }),
  delta({ type: "input_json_delta", partial_json }),
];
const stop = { type: "content_block_stop", index: 0 };

const LIKE_OPENAI = {
  text: [chunk({ role: "assistant", content: "the " }), chunk({ content: "answer" })],
  call: [callChunk('{"x":1}')],
  partOfCall: [chunk({ content: "so" }), callChunk('{"x"')],
  nameOfCall: [chunk({ content: "so" }), callChunk("")],
  nothing: [chunk({ role: "assistant", content: "\n" }), chunk({ reasoning_content: "hm" })],
};
const STREAMS: Record<string, { open: (options: object) => ModelClient } & Record<string, unknown>> = {
  openai: { open: (options) => openaiModel({ model: "m", ...options }), ...LIKE_OPENAI },
  gemini: { open: (options) => geminiModel({ model: "m", ...options }), ...LIKE_OPENAI },
  anthropic: {
    open: (options) => anthropicModel({ model: "m", ...options }),
    text: [begun, ...text("the answer"), stop],
    call: [begun, ...tool('{"x":1}'), stop],
    partOfCall: [begun, ...text("so"), stop, ...tool('{"x"')],
    nameOfCall: [begun, ...text("so"), stop, block({ type: "tool_use", id: "a", name: "list", input: {} })],
    nothing: [begun, ...text("\n"), stop],
  },
};
const streaming = (server: ModelServer, name: string, options = {}): ModelClient =>
  STREAMS[name]!.open({ baseUrl: server.url, stream: true, maxRetries: 0, ...options });

describe.each(Object.keys(STREAMS))("a stream of %s that does not say why it ends", (name) => {
  const events = (kind: string) => STREAMS[name]![kind] as Event[];

  test.each([
    ["is marked as done", true],
    ["is closed", false],
  ])("is an answer, got with one request, where it %s", async (_, done) => {
    await using server = await startModelServer((_, response) => sse(response, events("text"), done));
    const reply = await streaming(server, name, { maxRetries: 2 }).complete(ASK);
    expect(reply).toMatchObject({ content: "the answer", toolCalls: [] });
    expect(reply).not.toHaveProperty("finishReason");
    expect(server.requests).toHaveLength(1);
  });

  test("is an answer where it calls a tool with all of its arguments", async () => {
    await using server = await startModelServer((_, response) => sse(response, events("call")));
    const reply = await streaming(server, name).complete(ASK);
    expect(reply.toolCalls).toEqual([{ id: "a", name: "list", arguments: '{"x":1}' }]);
  });

  test.each(["partOfCall", "nameOfCall", "nothing"])("is none where it holds but %s", async (kind) => {
    await using server = await startModelServer((_, response) => sse(response, events(kind)));
    await expect(streaming(server, name).complete(ASK)).rejects.toMatchObject({
      code: "ATLAS_MODEL_UNAVAILABLE",
      retryable: true,
    });
  });

  test("is none where the connection breaks after a text", async () => {
    await using server = await startModelServer((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const lines = events("text").map((event) => `data: ${JSON.stringify(event)}\n\n`);
      response.write(lines.join(""), () => response.destroy());
    });
    await expect(streaming(server, name).complete(ASK)).rejects.toMatchObject({
      code: "ATLAS_MODEL_UNAVAILABLE",
      retryable: true,
    });
  });
});

const told = (message: string) => ({ error: { message, type: "invalid_request_error" } });
const refusal =
  (status: number, body: unknown) =>
  (response: ServerResponse): void =>
    typeof body === "string"
      ? void response.writeHead(status, { "content-type": "text/plain" }).end(body)
      : json(response, body, status);

describe("what a server refuses of the fields that we add is left out from then on", () => {
  test.each<[string, number, unknown]>([
    ["OpenAI's words", 400, told("Unknown parameter: 'stream_options'.")],
    ["another field's words", 400, told("include_usage is not supported")],
    [
      "FastAPI's words",
      422,
      { detail: [{ type: "extra_forbidden", loc: ["body", "stream_options"], msg: "not permitted" }] },
    ],
    ["a message alone", 400, { object: "error", message: "stream_options: unexpected field" }],
    ["plain text", 400, "json: unknown field stream_options"],
  ])("stream_options, refused in %s", async (_, status, body) => {
    const refuse = refusal(status, body);
    // Both are asked before the first is refused.
    const waiting: ServerResponse[] = [];
    await using server = await startModelServer((request, response) => {
      if (!("stream_options" in request.body)) return sse(response, LIKE_OPENAI.text);
      if (waiting.push(response) === 2) for (const one of waiting) refuse(one);
    });
    const client = streaming(server, "openai");
    for (const reply of await Promise.all([client.complete(ASK), client.complete(ASK)]))
      expect(reply.content).toBe("the answer");
    await client.complete(ASK);
    const asked = server.requests.map((request) => "stream_options" in request.body);
    expect(asked).toEqual([true, true, false, false, false]);
  });

  test("a limit under its old name is sent under its new one", async () => {
    await using server = await startModelServer((request, response) =>
      "max_tokens" in request.body
        ? json(response, told("'max_tokens' is not supported, use 'max_completion_tokens'"), 400)
        : json(response, completion("hi")),
    );
    const client = openaiModel({ model: "m", baseUrl: server.url });
    for (const _ of [1, 2]) await client.complete({ ...ASK, maxTokens: 7 });
    expect(server.requests.map(({ body }) => [body["max_tokens"], body["max_completion_tokens"]])).toEqual([
      [7, undefined],
      [undefined, 7],
      [undefined, 7],
    ]);
  });

  test("a limit of ours that is too high for a model of Anthropic's is lowered, the caller's own is not", async () => {
    await using server = await startModelServer(({ body }, response) =>
      Number(body["max_tokens"]) > 4096
        ? json(response, told(`max_tokens: ${body["max_tokens"]} > 4096, which is the maximum`), 400)
        : json(response, { model: "m", content: [{ type: "text", text: "hi" }], stop_reason: "end_turn" }),
    );
    const client = anthropicModel({ model: "m", baseUrl: server.url });
    for (const _ of [1, 2]) expect((await client.complete(ASK)).content).toBe("hi");
    await expect(client.complete({ ...ASK, maxTokens: 5000 })).rejects.toThrow(/5000 > 4096/);
    expect(server.requests.map(({ body }) => body["max_tokens"])).toEqual([8192, 4096, 4096, 5000]);
  });

  test("another refusal is one, and says what the server said", async () => {
    await using server = await startModelServer((_, response) =>
      json(response, { detail: "no such tenant" }, 400),
    );
    await expect(streaming(server, "openai").complete(ASK)).rejects.toThrow(/400.*no such tenant/);
    expect(server.requests).toHaveLength(1);
  });
});

describe("a refusal is an answer", () => {
  const refused = (content: unknown, refusal: unknown) => completion(null, { content, refusal });
  test.each<[string, object | readonly Event[]]>([
    ["in its own field", refused(null, "I cannot.")],
    ["beside an empty text", refused("", "I cannot.")],
    ["as a part", refused([{ type: "refusal", refusal: "I cannot." }], null)],
    ["streamed", [chunk({ refusal: "I " }), chunk({ refusal: "cannot." })]],
  ])("of OpenAI's, %s", async (_, answer) => {
    const isStream = Array.isArray(answer);
    await using server = await startModelServer((_, response) =>
      isStream ? sse(response, answer as Event[]) : json(response, answer),
    );
    const reply = await openaiModel({ model: "m", baseUrl: server.url, stream: isStream }).complete(ASK);
    expect(reply.content).toBe("I cannot.");
    expect(server.requests).toHaveLength(1);
  });

  test.each<[string, unknown[], object, string]>([
    ["with a text", [{ type: "text", text: "I cannot." }], {}, "I cannot."],
    ["with a reason alone", [], { stop_details: { type: "refusal", explanation: "unsafe" } }, "unsafe"],
    ["with nothing", [], { stop_details: null }, ""],
  ])("of Anthropic's, %s", async (_, content, details, said) => {
    await using server = await startModelServer((_, response) =>
      json(response, { model: "m", content, stop_reason: "refusal", ...details }),
    );
    const reply = await anthropicModel({ model: "m", baseUrl: server.url }).complete(ASK);
    expect(reply).toMatchObject({ content: said, finishReason: "refusal" });
  });
});
