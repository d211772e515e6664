import { AIMessage, HumanMessage } from "@langchain/core/messages";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import type { ChatMessage } from "../../models/model-client.ts";
import type { Agent, AgentContext } from "../../producers/agents/agent.ts";
import { anthropicAgent } from "../../producers/agents/anthropic-agent.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { geminiAgent } from "../../producers/agents/gemini-agent.ts";
import { langgraphAgent } from "../../producers/agents/langgraph-agent.ts";
import { openaiAgent } from "../../producers/agents/openai-agent.ts";
import { wrapOpenAI } from "../../producers/agents/wrap-openai.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { defineTool } from "../../producers/tools/tool.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { openaiChat } from "../../sinks/formats/openai-chat.ts";
import { foldSession } from "../../traces/fold.ts";
import { completion, json, startModelServer } from "../models/model-server.ts";
import { sse } from "../models/model-streams.ts";
import { only } from "../recording/memory-log.ts";
import { run } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const both = { teacher: model, judge: model };
const at = (baseUrl: string, stream = false) => ({ model: "m", baseUrl, stream });
const openai = (url: string, ctx: AgentContext) =>
  wrapOpenAI(new OpenAI({ apiKey: "k", baseURL: url, maxRetries: 0 }), ctx);

beforeEach(() => {
  for (const name of ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"])
    vi.stubEnv(name, "key-0123456789");
});
afterEach(() => vi.unstubAllEnvs());

interface Line {
  messages: ChatMessage[];
}
/** The lines of an export, or why there is none. */
const exported = (events: readonly AtlasEvent[]): Line[] | string =>
  openaiChat.records(foldSession(events)) as Line[] | string;
const studentCall = (events: readonly AtlasEvent[]) =>
  only(events, "ModelCallEnded").find(({ role }) => role === "student")!;

describe("a refusal is the answer, and is not lost in an export", () => {
  const SAID = "I cannot help with that.";
  const chat = completion(null, { refusal: SAID });
  const pieces = [{ refusal: "I cannot help " }, { refusal: "with that." }].map((delta) => ({
    ...{ id: "c", object: "chat.completion.chunk", model: "m" },
    choices: [{ index: 0, delta, finish_reason: null }],
  }));
  const part = { type: "message", role: "assistant", content: [{ type: "refusal", refusal: SAID }] };
  const response = { id: "r", object: "response", model: "m", status: "completed", output: [part] };
  const claude = {
    ...{ id: "m", type: "message", role: "assistant", model: "m", stop_reason: "refusal" },
    content: [{ type: "text", text: SAID }],
  };
  const answered =
    (ask: (url: string, ctx: AgentContext) => Promise<string | null | undefined>) => (url: string) =>
      functionAgent(async (_task, _input, ctx) => (await ask(url, ctx)) ?? "");

  test.each<[string, (url: string) => Agent]>([
    ["openai", (url) => openaiAgent(at(url))],
    ["openai, streamed", (url) => openaiAgent(at(url, true))],
    ["gemini", (url) => geminiAgent(at(url))],
    ["anthropic", (url) => anthropicAgent(at(url))],
    [
      "wrapped openai",
      answered(async (url, ctx) => {
        const messages = [{ role: "user" as const, content: "hello" }];
        const { choices } = await openai(url, ctx).chat.completions.create({ model: "m", messages });
        expect(choices[0]?.message).toMatchObject({ content: null, refusal: SAID });
        return choices[0]?.message.refusal;
      }),
    ],
    [
      "responses API",
      answered(async (url, ctx) => {
        await openai(url, ctx).responses.create({ model: "m", input: "hello" });
        return SAID;
      }),
    ],
    [
      "langgraph",
      () =>
        langgraphAgent({
          invoke: async ({ messages }) => ({
            messages: [
              ...messages.map(({ content }) => new HumanMessage(content)),
              new AIMessage({ content: "", additional_kwargs: { refusal: SAID } }),
            ],
          }),
        }),
    ],
  ])("%s", async (name, open) => {
    await using server = await startModelServer(({ path, body }, answer) => {
      if (path.endsWith("/responses")) return json(answer, response);
      if (path.endsWith("/messages")) return json(answer, claude);
      if (body["stream"] === true) return sse(answer, pieces as object[]);
      json(answer, chat);
    });
    const { result, events } = await run({ agent: open(server.url), ...both });
    expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: SAID });
    if (name !== "langgraph") expect(studentCall(events)).toMatchObject({ content: SAID, error: null });
    const [line] = exported(events) as Line[];
    expect(line?.messages.at(-1)).toEqual({ role: "assistant", content: SAID });
  });
});

describe("a call of a custom tool is a call", () => {
  const TEXT = "print('hi')\n{";
  const custom = { id: "c1", type: "custom", custom: { name: "python", input: TEXT } };
  const ran: unknown[] = [];
  const python = defineTool({
    name: "python",
    parameters: z.object({ input: z.string() }),
    run(args) {
      ran.push(args);
      return "hi";
    },
  });
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    ...{ id: "c", object: "chat.completion.chunk", model: "m" },
    choices: [{ index: 0, delta, finish_reason }],
  });
  const pieces = [
    chunk({ tool_calls: [{ index: 0, ...custom, custom: { name: "python", input: "" } }] }),
    chunk({ tool_calls: [{ index: 0, custom: { input: TEXT.slice(0, 5) } }] }),
    chunk({ tool_calls: [{ index: 0, custom: { input: TEXT.slice(5) } }] }),
    chunk({}, "tool_calls"),
  ];
  const AS_FUNCTION = {
    ...{ id: "c1", type: "function" },
    function: { name: "python", arguments: JSON.stringify({ input: TEXT }) },
  };

  test.each([false, true])("that is executed and answered (streamed: %s)", async (stream) => {
    ran.length = 0;
    await using server = await startModelServer(({ body }, response) => {
      const done = (body["messages"] as unknown[]).length > 1;
      if (stream) return sse(response, (done ? [chunk({ content: "done" }, "stop")] : pieces) as object[]);
      json(response, done ? completion("done") : completion(null, { tool_calls: [custom] }));
    });
    const { result, events } = await run({
      agent: openaiAgent({ ...at(server.url, stream), tools: [python] }),
      ...both,
    });
    expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: "done" });
    expect(ran).toEqual([{ input: TEXT }]);
    expect(JSON.parse(studentCall(events).tool_calls!)).toEqual([custom]);
    expect(only(events, "ToolCallStarted")).toMatchObject([{ arguments: JSON.stringify({ input: TEXT }) }]);
    const [, said, answer] = server.requests[1]!.body["messages"] as ChatMessage[];
    expect(said).toMatchObject({ role: "assistant", tool_calls: [custom] });
    expect(answer).toEqual({ role: "tool", tool_call_id: "c1", content: "hi" });
    const [line] = exported(events) as Line[];
    expect(line?.messages.slice(1)).toEqual([
      { role: "assistant", content: null, tool_calls: [AS_FUNCTION] },
      { role: "tool", tool_call_id: "c1", content: "hi" },
      { role: "assistant", content: "done" },
    ]);
  });

  test("of the Responses API, whole, streamed and half streamed, and its result", async () => {
    const item = { id: "i", type: "custom_tool_call", call_id: "c1", name: "python", input: TEXT };
    const answer = { id: "r", object: "response", model: "m", status: "completed", output: [item] };
    const begun = { type: "response.created", response: { ...answer, status: "in_progress", output: [] } };
    const added = { type: "response.output_item.added", output_index: 0, item: { ...item, input: "" } };
    const delta = { type: "response.custom_tool_call_input.delta", item_id: "i", delta: TEXT };
    const done = { type: "response.output_item.done", output_index: 0, item };
    const completed = { type: "response.completed", response: answer };
    await using server = await startModelServer(({ body }, response) => {
      if (body["stream"] !== true) return json(response, answer);
      const whole: object[] = [begun, added, delta, done, completed];
      sse(response, body["input"] === "half" ? whole.slice(0, 4) : whole);
    });
    const agent = functionAgent(async (_task, _input, ctx) => {
      const { responses } = openai(server.url, ctx);
      await responses.create({ model: "m", input: "whole" });
      for (const input of ["streamed", "half"])
        for await (const _ of await responses.create({ model: "m", input, stream: true }));
      const output = { type: "custom_tool_call_output" as const, call_id: "c1", output: "hi" };
      await responses.create({ model: "m", input: [item as OpenAI.Responses.ResponseInputItem, output] });
      return "done";
    });
    const { result, events } = await run({ agent, ...both });
    expect(result, String(result.error)).toMatchObject({ status: "succeeded" });
    const calls = only(events, "ModelCallEnded").filter(({ role }) => role === "student");
    expect(calls).toHaveLength(4);
    for (const { tool_calls, error } of calls) {
      expect(JSON.parse(tool_calls!)).toEqual([custom]);
      expect(error).toBeNull();
    }
    const asked = only(events, "ModelCallStarted").filter(({ role }) => role === "student");
    expect(JSON.parse(asked[3]!.messages)).toEqual([
      { role: "assistant", content: null, tool_calls: [custom] },
      { role: "tool", tool_call_id: "c1", content: "hi" },
    ]);
  });

  test("of the Responses API whose items share an id, one of which was left half", async () => {
    const call = (call_id: string, args: string) => ({
      ...{ id: "i", type: "function_call", call_id, name: "list" },
      arguments: args,
    });
    const added = (call_id: string) => ({ type: "response.output_item.added", item: call(call_id, "") });
    const delta = (text: string) => ({
      ...{ type: "response.function_call_arguments.delta", item_id: "i" },
      delta: text,
    });
    const done = { type: "response.output_item.done", item: call("a", '{"x":1}') };
    await using server = await startModelServer((_, response) =>
      sse(response, [added("a"), delta('{"x"'), delta(":1}"), done, added("b"), delta('{"y"')] as object[]),
    );
    const agent = functionAgent(async (_task, _input, ctx) => {
      const { responses } = openai(server.url, ctx);
      for await (const _ of await responses.create({ model: "m", input: "x", stream: true }));
      return "done";
    });
    const { events } = await run({ agent, ...both });
    const [a, b] = JSON.parse(studentCall(events).tool_calls!);
    expect(a).toEqual({ id: "a", type: "function", function: { name: "list", arguments: '{"x":1}' } });
    expect(b).toMatchObject({ id: "b", function: { arguments: '{"y"' }, error: expect.any(String) });
    expect(studentCall(events).error).toMatch(/list/);
  });
});

test("what is called with functions, which tools came after, is a call", async () => {
  const called = { name: "list", arguments: '{"a":1}' };
  const functions = [{ name: "list", description: "lists", parameters: { type: "object" } }];
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    ...{ id: "c", object: "chat.completion.chunk", model: "m" },
    choices: [{ index: 0, delta, finish_reason }],
  });
  const pieces = [
    chunk({ role: "assistant", function_call: { name: "list", arguments: '{"a"' } }),
    chunk({ function_call: { arguments: ":1}" } }),
    chunk({}, "function_call"),
  ];
  await using server = await startModelServer(({ body }, response) =>
    body["stream"] === true
      ? sse(response, pieces as object[])
      : json(response, completion(null, { function_call: called })),
  );
  for (const stream of [false, true]) {
    const agent = functionAgent(async (_task, _input, ctx) => {
      const ask = { model: "m", messages: [{ role: "user" as const, content: "hello" }], functions };
      const { completions } = openai(server.url, ctx).chat;
      if (stream) for await (const _ of await completions.create({ ...ask, stream: true }));
      else await completions.create(ask);
      return "done";
    });
    const { events } = await run({ agent, ...both });
    expect(JSON.parse(studentCall(events).tool_calls!)).toMatchObject([called]);
    const [asked] = only(events, "ModelCallStarted");
    expect(JSON.parse(asked!.tools!)).toEqual(functions);
    const [line] = exported(events) as Line[];
    expect(line?.messages.at(-1)).toMatchObject({ tool_calls: [{ type: "function", function: called }] });
  }
});

describe("results that are told before their calls", () => {
  const user: ChatMessage = { role: "user", content: "go" };
  const call = (id: string) => ({ id, type: "function", function: { name: "list", arguments: "{}" } });
  const said = (...ids: string[]): ChatMessage => ({
    ...{ role: "assistant", content: null },
    tool_calls: ids.map(call),
  });
  const result = (id: string): ChatMessage => ({ role: "tool", tool_call_id: id, content: `of ${id}` });
  const done: ChatMessage = { role: "assistant", content: "done" };

  test.each<[string, ChatMessage[], ChatMessage[]]>([
    ["stay where they are", [user, said("a"), result("a"), done], [user, said("a"), result("a"), done]],
    ["follow them", [user, result("a"), said("a"), done], [user, said("a"), result("a"), done]],
    [
      "follow each its own",
      [user, result("b"), result("a"), said("a"), said("b"), done],
      [user, said("a"), result("a"), said("b"), result("b"), done],
    ],
    ["are told without them", [user, result("a"), done], [user, result("a"), done]],
    ["are told at the end", [user, said("a"), result("b")], [user, said("a"), result("b")]],
  ])("%s", async (_, told, expected) => {
    const agent = functionAgent(async (_task, _input, ctx) => {
      for (const message of told) {
        const mine = { ...message };
        ctx.message(mine);
        // What is recorded is what was told.
        mine.content = "changed since";
      }
      return "done";
    });
    const { events } = await run({ agent, ...both });
    const recorded = only(events, "MessageRecorded");
    expect(recorded.map(({ message }) => JSON.parse(message))).toEqual(expected);
    expect(recorded.map(({ index }) => index)).toEqual(expected.map((_, at) => at));
  });
});
