import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Agent, AgentContext } from "../../producers/agents/agent.ts";
import { anthropicAgent } from "../../producers/agents/anthropic-agent.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { geminiAgent } from "../../producers/agents/gemini-agent.ts";
import { httpAgent } from "../../producers/agents/http-agent.ts";
import { langchainHandler } from "../../producers/agents/langchain-handler.ts";
import { openaiAgent } from "../../producers/agents/openai-agent.ts";
import { wrapAnthropic } from "../../producers/agents/wrap-anthropic.ts";
import { wrapOpenAI } from "../../producers/agents/wrap-openai.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { foldSession } from "../../traces/fold.ts";
import { completion, json, startModelServer } from "../models/model-server.ts";
import { sse } from "../models/model-streams.ts";
import { only } from "../recording/memory-log.ts";
import { ServedChatModel } from "./langchain-model.ts";
import { run } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const both = { teacher: model, judge: model };
/** Every model has a price, so that what tokens are not known is all that keeps a cost from being known. */
const prices = { "": { input: 1, output: 2 } };
const user = { role: "user" as const, content: "hello" };

beforeEach(() => {
  for (const name of ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"])
    vi.stubEnv(name, "key-0123456789");
});
afterEach(() => vi.unstubAllEnvs());

type Usage = Record<string, number> | undefined;
type Door = (url: string) => Agent;
const at = (url: string, stream = false) => ({ model: "m", baseUrl: url, stream });
const within = (work: (ctx: AgentContext) => Promise<unknown>): Agent =>
  functionAgent(async (_task, _input, ctx) => {
    await work(ctx);
    return "hi";
  });
const openai = (url: string, ctx: AgentContext) =>
  wrapOpenAI(new OpenAI({ apiKey: "k", baseURL: url, maxRetries: 0 }), ctx);
const claude = (url: string, ctx: AgentContext) =>
  wrapAnthropic(new Anthropic({ apiKey: "k", baseURL: url.replace(/\/v1$/, ""), maxRetries: 0 }), ctx);
const drain = async (stream: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of stream);
};

const DOORS: Record<string, Door> = {
  openai: (url) => openaiAgent(at(url)),
  "openai, streamed": (url) => openaiAgent(at(url, true)),
  gemini: (url) => geminiAgent(at(url)),
  anthropic: (url) => anthropicAgent(at(url)),
  "anthropic, streamed": (url) => anthropicAgent(at(url, true)),
  http: (url) => httpAgent({ url, name: "far" }),
  "wrapped openai": (url) =>
    within((ctx) => openai(url, ctx).chat.completions.create({ model: "m", messages: [user] })),
  "wrapped openai, streamed": (url) =>
    within(async (ctx) =>
      drain(await openai(url, ctx).chat.completions.create({ model: "m", messages: [user], stream: true })),
    ),
  "responses API": (url) =>
    within((ctx) => openai(url, ctx).responses.create({ model: "m", input: "hello" })),
  "wrapped anthropic": (url) =>
    within((ctx) => claude(url, ctx).messages.create({ model: "m", max_tokens: 9, messages: [user] })),
  "wrapped anthropic, streamed": (url) =>
    within(async (ctx) =>
      drain(
        await claude(url, ctx).messages.create({
          ...{ model: "m", max_tokens: 9, messages: [user] },
          stream: true,
        }),
      ),
    ),
  langchain: (url) =>
    within((ctx) => new ServedChatModel(url).invoke("hello", { callbacks: [langchainHandler(ctx)] })),
};

/** A server of every API that answers "hi" and tells such tokens, or none. */
const serve = (usage: Usage) =>
  startModelServer(({ body, path }, response) => {
    const told = usage === undefined ? {} : { usage };
    const message = { id: "m", type: "message", role: "assistant", model: "m", stop_reason: "end_turn" };
    if (path.endsWith("/responses"))
      return json(response, {
        ...{ id: "r", object: "response", model: "m", status: "completed", ...told },
        output: [{ type: "message", content: [{ type: "output_text", text: "hi" }] }],
      });
    if (!path.endsWith("/messages") && body["stream"] !== true)
      return json(response, { ...completion("hi"), usage });
    const start = { ...message, content: [], stop_reason: null, ...told };
    if (!path.endsWith("/messages"))
      return sse(response, [
        {
          ...completion("hi"),
          usage: null,
          choices: [{ index: 0, delta: { content: "hi" }, finish_reason: "stop" }],
        },
        { ...completion("hi"), choices: [], usage },
      ] as object[]);
    if (body["stream"] !== true)
      return json(response, { ...message, content: [{ type: "text", text: "hi" }], ...told });
    sse(response, [
      { type: "message_start", message: start } as object,
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "hi" } } as object,
      { type: "content_block_stop", index: 0 } as object,
      { type: "message_delta", delta: { stop_reason: "end_turn" }, ...told } as object,
      { type: "message_stop" },
    ]);
  });

const zeros = {
  ...{ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
  ...{ input_tokens: 0, output_tokens: 0 },
};

describe.each(Object.keys(DOORS))("tokens that nobody told (%s)", (name) => {
  test.each<[string, Usage]>([
    ["missing", undefined],
    ["0", zeros],
  ])("are unknown where they are %s, and so is the cost", async (_, usage) => {
    await using server = await serve(usage);
    const { result, events } = await run({ agent: DOORS[name]!(server.url), ...both, prices });
    expect(result, String(result.error)).toMatchObject({ status: "succeeded" });
    for (const tokens of [result.tokens, result.tokens.byRole.student]) {
      expect(tokens?.calls).toBeGreaterThan(0);
      for (const field of ["prompt", "completion", "total", "cost"]) expect(tokens).not.toHaveProperty(field);
    }
    expect(result).not.toHaveProperty("cost");
    // What is known of the others is still told.
    expect(result.tokens.byRole.teacher?.total).toBeGreaterThan(0);
    const call = only(events, "ModelCallEnded").find(({ role }) => role === "student");
    expect(call).toMatchObject({
      usage: null,
      cost: null,
      error: null,
      content: expect.stringContaining("hi"),
    });
    expect(only(events, "AttemptEnded")).toMatchObject([{ usage: null }]);
    const [ended] = only(events, "SessionEnded");
    expect(ended).toMatchObject({ usage: null, cost: null });
    expect(JSON.parse(ended!.usage_by_role!)).toMatchObject({ student: null, teacher: expect.anything() });
    expect(foldSession(events).usage).toBeNull();
  });
});

test("tokens of an answer of nothing may be 0", async () => {
  const usage = { prompt_tokens: 5, completion_tokens: 0, total_tokens: 5 };
  await using server = await startModelServer((_, response) => json(response, completion("", {}, usage)));
  const { events } = await run({ agent: openaiAgent(at(server.url)), ...both, prices });
  const call = only(events, "ModelCallEnded").find(({ role }) => role === "student");
  expect(call).toMatchObject({ usage: { prompt_tokens: 5, completion_tokens: 0 }, cost: 0.000005 });
});
