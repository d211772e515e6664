import Anthropic from "@anthropic-ai/sdk";
import { AIMessage, ToolMessage } from "@langchain/core/messages";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AgentContext } from "../../producers/agents/agent.ts";
import { anthropicAgent } from "../../producers/agents/anthropic-agent.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { geminiAgent } from "../../producers/agents/gemini-agent.ts";
import { langgraphAgent } from "../../producers/agents/langgraph-agent.ts";
import { openaiAgent } from "../../producers/agents/openai-agent.ts";
import { wrapAnthropic } from "../../producers/agents/wrap-anthropic.ts";
import { wrapOpenAI } from "../../producers/agents/wrap-openai.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { defineTool } from "../../producers/tools/tool.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { openaiChat } from "../../sinks/formats/openai-chat.ts";
import { foldSession } from "../../traces/fold.ts";
import { completion, json, type ModelServer, startModelServer } from "../models/model-server.ts";
import { sse } from "../models/model-streams.ts";
import { only } from "../recording/memory-log.ts";
import { ServedChatModel } from "./langchain-model.ts";
import { run } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const both = { teacher: model, judge: model };
const user = { role: "user" as const, content: "hello" };
const student = (events: readonly AtlasEvent[]) =>
  only(events, "ModelCallEnded").filter(({ role }) => role === "student");
const exported = (events: readonly AtlasEvent[]) => {
  const found = openaiChat.records(foldSession(events));
  return typeof found === "string" ? found : found.length;
};

beforeEach(() => {
  for (const name of ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"])
    vi.stubEnv(name, "key-0123456789");
});
afterEach(() => vi.unstubAllEnvs());

/** What a model writes, and why it stops. */
interface Said {
  args: string;
  finish: string | null;
}

const chunk = (delta: object, finish_reason: string | null = null) => ({
  ...{ id: "c", object: "chat.completion.chunk", created: 1, model: "m" },
  choices: [{ index: 0, delta, finish_reason }],
});
const openaiCall = (id: string, args: string) => ({
  ...{ id, type: "function" },
  function: { name: "list", arguments: args },
});
const openaiPieces = ({ args, finish }: Said) => [
  chunk({ role: "assistant", tool_calls: [{ index: 0, ...openaiCall("t1", args) }] }),
  chunk({}, finish),
];
const openaiWhole = ({ args, finish }: Said) => {
  const answer = completion(null, { tool_calls: [openaiCall("t1", args)] });
  return { ...answer, choices: [{ ...answer.choices[0], finish_reason: finish }] };
};

const claude = (content: unknown[], stop_reason: string | null) => ({
  ...{ id: "m", type: "message", role: "assistant", model: "claude-x", content, stop_reason },
  usage: { input_tokens: 5, output_tokens: 5 },
});
const claudePieces = ({ args, finish }: Said): { type: string }[] => [
  { type: "message_start", message: claude([], null) } as { type: string },
  {
    ...{ type: "content_block_start", index: 0 },
    content_block: { type: "tool_use", id: "t1", name: "list", input: {} },
  } as { type: string },
  {
    ...{ type: "content_block_delta", index: 0 },
    delta: { type: "input_json_delta", partial_json: args },
  } as { type: string },
  { type: "content_block_stop", index: 0 } as { type: string },
  { type: "message_delta", delta: { stop_reason: finish }, usage: { output_tokens: 5 } } as { type: string },
  { type: "message_stop" },
];
const claudeWhole = ({ args, finish }: Said) =>
  claude([{ type: "tool_use", id: "t1", name: "list", input: JSON.parse(args) }], finish);

const openaiText = [chunk({ role: "assistant", content: "done" }), chunk({}, "stop")];
const claudeText = [
  { type: "message_start", message: claude([], null) },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "done" } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } },
  { type: "message_stop" },
];

/** A server of both APIs that calls the tool first, and answers when it got a result. */
const serve = (said: Said): Promise<ModelServer> =>
  startModelServer(({ body, path }, response) => {
    const done = (body["messages"] as unknown[]).length > 1;
    if (path.endsWith("/messages")) {
      if (body["stream"] === true) return sse(response, done ? claudeText : claudePieces(said));
      return json(response, done ? claude([{ type: "text", text: "done" }], "end_turn") : claudeWhole(said));
    }
    if (body["stream"] === true) return sse(response, (done ? openaiText : openaiPieces(said)) as object[]);
    json(response, done ? completion("done") : openaiWhole(said));
  });

let ran: unknown[] = [];
const list = defineTool({
  name: "list",
  parameters: { type: "object" },
  run(args) {
    ran.push(args);
    return "found";
  },
});
beforeEach(() => {
  ran = [];
});

const common = { model: "m", maxRetries: 0, tools: [list] };
const AGENTS = {
  openai: (baseUrl: string, stream: boolean) => openaiAgent({ ...common, baseUrl, stream }),
  gemini: (baseUrl: string, stream: boolean) => geminiAgent({ ...common, baseUrl, stream }),
  anthropic: (baseUrl: string, stream: boolean) => anthropicAgent({ ...common, baseUrl, stream }),
};
const DOORS = (["openai", "gemini", "anthropic"] as const).flatMap((name) => [
  { name, stream: false },
  { name, stream: true },
]);
const LIMIT = { openai: "length", gemini: "length", anthropic: "max_tokens" };
const CALLS = { openai: "tool_calls", gemini: "tool_calls", anthropic: "tool_use" };

type Kind = [string, string, typeof LIMIT, RegExp];
const READABLE: Kind[] = [
  ["cut off where they can be read", '{"a":1}', LIMIT, /cut off/],
  ["cut off before their beginning", "{}", LIMIT, /cut off/],
];
const UNREADABLE: Kind[] = [
  ["cut off", '{"a": 12', LIMIT, /cut off/],
  ["broken", '{"a": 1,, }', CALLS, /not JSON/],
];

describe.each(DOORS)("$name, streamed: $stream", ({ name, stream }) => {
  // Whole answers of Anthropic's have input as JSON: what cannot be read comes in pieces alone.
  const kinds = name === "anthropic" && !stream ? READABLE : [...READABLE, ...UNREADABLE];

  test.each(kinds)(
    "arguments that are %s are not executed, not trained on, and kept as they came",
    async (_, args, why, said) => {
      await using server = await serve({ args, finish: why[name] });
      const { result, events } = await run({ agent: AGENTS[name](server.url, stream), ...both });
      expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: "done" });
      expect(ran).toEqual([]);
      expect(only(events, "ToolCallStarted")).toMatchObject([{ arguments: JSON.stringify(args) }]);
      expect(only(events, "ToolCallEnded")).toMatchObject([
        { output: null, error: expect.stringMatching(said) },
      ]);
      const [call, answer] = student(events);
      expect(call?.error).toMatch(/^ATLAS_MODEL_FAILED: .*list/);
      expect(call?.error).toMatch(said);
      expect(answer?.error).toBeNull();
      const [recorded] = JSON.parse(call!.tool_calls!) as { function: object; error: string }[];
      expect(recorded).toMatchObject({ function: { name: "list", arguments: args } });
      expect(recorded?.error).toMatch(said);
      // What is ours does not go to the provider, and nothing is made up for it.
      const back = JSON.stringify(server.requests[1]!.body["messages"]);
      expect(back).not.toMatch(/"error"|"raw"/);
      expect(back).toMatch(said);
      expect(exported(events)).toBe("tool-arguments-not-json");
    },
  );

  test("arguments that are whole are executed, and exported", async () => {
    await using server = await serve({ args: '{"a":1}', finish: CALLS[name] });
    const { events } = await run({ agent: AGENTS[name](server.url, stream), ...both });
    expect(ran).toEqual([{ a: 1 }]);
    expect(student(events)[0]?.error).toBeNull();
    expect(exported(events)).toBe(1);
  });
});

test("calls that share one index are calls of their own at every door", async () => {
  const pieces = [
    chunk({ tool_calls: [{ index: 0, ...openaiCall("c1", '{"a":1}') }] }),
    chunk({ tool_calls: [{ index: 0, ...openaiCall("c2", '{"b":2}') }] }),
    chunk({}, "tool_calls"),
  ];
  await using server = await startModelServer(({ body }, response) =>
    sse(response, ((body["messages"] as unknown[]).length > 1 ? openaiText : pieces) as object[]),
  );
  const wrapped = functionAgent(async (_task, _input, ctx) => {
    const client = wrapOpenAI(new OpenAI({ apiKey: "k", baseURL: server.url, maxRetries: 0 }), ctx);
    for await (const _ of await client.chat.completions.create({
      model: "m",
      messages: [user],
      stream: true,
    }));
    return "done";
  });
  for (const agent of [AGENTS.openai(server.url, true), AGENTS.gemini(server.url, true), wrapped]) {
    ran = [];
    const { result, events } = await run({ agent, ...both });
    expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: "done" });
    const calls = JSON.parse(student(events)[0]!.tool_calls!);
    expect(calls).toEqual([openaiCall("c1", '{"a":1}'), openaiCall("c2", '{"b":2}')]);
    expect(student(events)[0]?.error).toBeNull();
    expect(exported(events)).toBe(1);
    if (agent !== wrapped) expect(ran).toEqual([{ a: 1 }, { b: 2 }]);
  }
});

test("LangChain reads half of a call as if it were whole, the record does not", async () => {
  const args = '{"a": 12';
  await using server = await serve({ args, finish: "length" });
  const agent = langgraphAgent({
    async invoke({ messages }, { callbacks }) {
      const chat = new ServedChatModel(server.url, { streaming: true });
      const said = await chat.invoke("hello", { callbacks });
      expect(said.tool_calls).toMatchObject([{ args: { a: 12 } }]);
      return { messages: [...messages, said, new ToolMessage("found", "t1"), new AIMessage("done")] };
    },
  });
  const { result, events } = await run({ agent, ...both });
  expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: "done" });
  const broken = { function: { name: "list", arguments: args }, error: expect.stringMatching(/cut off/) };
  expect(JSON.parse(student(events)[0]!.tool_calls!)).toMatchObject([broken]);
  expect(student(events)[0]?.error).toMatch(/cut off/);
  const [, said] = only(events, "MessageRecorded").map(({ message }) => JSON.parse(message));
  expect(said.tool_calls).toMatchObject([broken]);
  expect(exported(events)).toBe("tool-arguments-not-json");
});

/** Runs an agent that does this with a client of its own. */
const inside = async (work: (ctx: AgentContext) => Promise<unknown>) => {
  const agent = functionAgent(async (_task, _input, ctx) => {
    await work(ctx);
    return "done";
  });
  const { result, events } = await run({ agent, ...both });
  expect(result, String(result.error)).toMatchObject({ status: "succeeded" });
  const [call] = student(events);
  return { call: call!, calls: JSON.parse(call!.tool_calls ?? "null") as unknown, events };
};
const claudeAt = ({ url }: ModelServer, ctx: AgentContext) =>
  wrapAnthropic(new Anthropic({ apiKey: "k", baseURL: url.replace(/\/v1$/, ""), maxRetries: 0 }), ctx);
const openaiAt = ({ url }: ModelServer, ctx: AgentContext) =>
  wrapOpenAI(new OpenAI({ apiKey: "k", baseURL: url, maxRetries: 0 }), ctx);
const asking = { model: "m", max_tokens: 9, messages: [user] };

describe("a wrapped client gives its caller what came, and its call says what is wrong with it", () => {
  test("a helper of Anthropic's SDK that cannot read the input of a tool", async () => {
    const args = '{"a": 1,, }';
    await using server = await serve({ args, finish: "tool_use" });
    const { call, calls, events } = await inside((ctx) =>
      expect(claudeAt(server, ctx).messages.stream(asking).finalMessage()).rejects.toBeInstanceOf(
        Anthropic.AnthropicError,
      ),
    );
    expect(call.error).toMatch(/list.*not JSON/);
    expect(calls).toMatchObject([{ function: { name: "list", arguments: args }, error: expect.any(String) }]);
    expect(exported(events)).toBe("tool-arguments-not-json");
  });

  test("a message of Anthropic's that was cut off", async () => {
    await using server = await serve({ args: "{}", finish: "max_tokens" });
    const { call, calls, events } = await inside(async (ctx) => {
      const { content } = await claudeAt(server, ctx).messages.create(asking);
      expect(content).toEqual([{ type: "tool_use", id: "t1", name: "list", input: {} }]);
    });
    expect(call.error).toMatch(/cut off \(max_tokens\)/);
    expect(calls).toMatchObject([{ error: expect.stringMatching(/cut off/) }]);
    expect(exported(events)).toBe("tool-arguments-not-json");
  });

  test("an answer of OpenAI's that was cut off", async () => {
    const args = '{"a": 12';
    await using server = await serve({ args, finish: "length" });
    const { call, events } = await inside(async (ctx) => {
      const { choices } = await openaiAt(server, ctx).chat.completions.create(asking);
      expect(choices[0]?.message.tool_calls).toEqual([openaiCall("t1", args)]);
    });
    expect(call.error).toMatch(/cut off \(length\)/);
    expect(exported(events)).toBe("tool-arguments-not-json");
  });

  test.each([
    ["OpenAI", (server: ModelServer, ctx: AgentContext) => openaiAt(server, ctx).chat.completions],
    ["Anthropic", (server: ModelServer, ctx: AgentContext) => claudeAt(server, ctx).messages],
  ])("a stream of %s's that its reader leaves within a call", async (_, from) => {
    await using server = await serve({ args: '{"a": 1', finish: null });
    const { call, calls } = await inside(async (ctx) => {
      const { create } = from(server, ctx) as unknown as {
        create(asked: object): Promise<AsyncIterable<unknown>>;
      };
      let read = 0;
      for await (const _ of await create({ ...asking, stream: true })) if (++read === 2) break;
    });
    expect(calls).toMatchObject([{ function: { name: "list" }, error: expect.any(String) }]);
    expect(call).toMatchObject({ finish_reason: null, usage: null, error: expect.stringMatching(/list/) });
  });

  test.each([
    ["cut off", { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }, /cut off/],
    ["broken", { status: "completed" }, /not JSON/],
  ])("a call of the Responses API that is %s", async (_, ending, said) => {
    const item = { id: "f", type: "function_call", call_id: "c", name: "list", arguments: '{"a": 1' };
    const usage = { input_tokens: 5, output_tokens: 4, total_tokens: 9 };
    const answer = { id: "r", object: "response", model: "m", output: [item], usage, ...ending };
    await using server = await startModelServer(({ body }, response) =>
      body["stream"] === true
        ? sse(response, [{ type: "response.incomplete", response: answer } as object])
        : json(response, answer),
    );
    for (const stream of [false, true]) {
      const { call, calls } = await inside(async (ctx) => {
        const { responses } = openaiAt(server, ctx);
        if (!stream) return responses.create({ model: "m", input: "hello" });
        for await (const _ of await responses.create({ model: "m", input: "hello", stream }));
      });
      expect(call.error).toMatch(said);
      expect(calls).toMatchObject([
        { function: { arguments: '{"a": 1' }, error: expect.stringMatching(said) },
      ]);
    }
  });
});
