import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Agent } from "../../producers/agents/agent.ts";
import { anthropicAgent } from "../../producers/agents/anthropic-agent.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { geminiAgent } from "../../producers/agents/gemini-agent.ts";
import { httpAgent } from "../../producers/agents/http-agent.ts";
import { openaiAgent } from "../../producers/agents/openai-agent.ts";
import { wrapAnthropic } from "../../producers/agents/wrap-anthropic.ts";
import { wrapOpenAI } from "../../producers/agents/wrap-openai.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { defineTool } from "../../producers/tools/tool.ts";
import { completion, json, type SeenRequest, startModelServer } from "../models/model-server.ts";
import { only } from "../recording/memory-log.ts";
import { run } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const both = { teacher: model, judge: model };

beforeEach(() => {
  for (const name of ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"])
    vi.stubEnv(name, "key-0123456789");
});
afterEach(() => vi.unstubAllEnvs());

const claude = (content: unknown[], stop_reason = "end_turn") => ({
  ...{ id: "m", type: "message", role: "assistant", model: "claude-x", content, stop_reason },
  usage: { input_tokens: 5, output_tokens: 5 },
});
const messagesOf = ({ body }: SeenRequest) => body["messages"] as { role: string; content: unknown }[];
const inTurn = (answers: readonly object[]) => {
  let next = 0;
  return () => answers[Math.min(next++, answers.length - 1)]!;
};

describe("what Anthropic refuses is not sent", () => {
  const blank = (text: string) => ({ type: "text", text });
  const use = { type: "tool_use", id: "t1", name: "list", input: { a: 1 } };
  const thought = { type: "thinking", thinking: "hm", signature: "sig" };
  const said = { type: "text", text: "so" };

  /** The texts of a request that Anthropic would refuse, as it says itself. */
  const refusedIn = (request: SeenRequest): unknown[] => {
    const contents = messagesOf(request).map(({ content }) => content);
    const blocks = contents.flatMap((content) => (Array.isArray(content) ? content : [{ text: content }]));
    const texts = [request.body["system"], ...blocks.flatMap(({ text, content }) => [text, content])];
    const blanks = texts.filter((text) => typeof text === "string" && text.trim() === "");
    return [...blanks, ...contents.filter((content) => Array.isArray(content) && content.length === 0)];
  };

  test.each<[string, unknown[], unknown[]]>([
    ["an empty text", [blank(""), use], [use]],
    ["a text of white space", [blank(" \n"), use], [use]],
    ["an empty text after a thought", [thought, blank(""), use], [thought, use]],
    ["a text that says something", [thought, said, use], [thought, said, use]],
  ])("%s that it wrote before a call, and an empty result", async (_, content, back) => {
    for (const output of ["", "  ", null]) {
      const answer = inTurn([claude(content, "tool_use"), claude([said])]);
      await using server = await startModelServer((_, response) => json(response, answer()));
      const list = defineTool({ name: "list", parameters: { type: "object" }, run: () => output });
      const agent = anthropicAgent({ model: "m", baseUrl: server.url, tools: [list], systemPrompt: " " });
      const { result } = await run({ agent, ...both });
      expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: "so" });
      const [first, second] = server.requests;
      expect([...refusedIn(first!), ...refusedIn(second!)]).toEqual([]);
      expect(first!.body).not.toHaveProperty("system");
      expect(messagesOf(second!).slice(1)).toEqual([
        { role: "assistant", content: back },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "t1" }] },
      ]);
    }
  });
});

describe("ids that are made up are taken by every provider", () => {
  const list = defineTool({
    name: "list",
    parameters: { type: "object" },
    run: (args) => JSON.stringify(args),
  });
  const call = (args: string, id?: unknown) => ({
    ...(id === undefined ? {} : { id }),
    type: "function",
    function: { name: "list", arguments: args },
  });
  const use = (a: number, id?: unknown) => ({
    ...{ type: "tool_use", name: "list", input: { a } },
    ...(id === undefined ? {} : { id }),
  });
  const at = (baseUrl: string) => ({ model: "m", baseUrl, tools: [list] });

  test.each<[string, (url: string) => Agent, object]>([
    [
      "openai, without ids",
      (url) => openaiAgent(at(url)),
      completion(null, { tool_calls: [call('{"a":1}'), call('{"a":2}', "")] }),
    ],
    [
      "gemini, one id for two",
      (url) => geminiAgent(at(url)),
      completion(null, { tool_calls: [call('{"a":1}', "aaaaaaaa1"), call('{"a":2}', "aaaaaaaa1")] }),
    ],
    ["anthropic, without ids", (url) => anthropicAgent(at(url)), claude([use(1), use(2, "")], "tool_use")],
    [
      "anthropic, one id for two",
      (url) => anthropicAgent(at(url)),
      claude([use(1, "aaaaaaaa1"), use(2, "aaaaaaaa1")], "tool_use"),
    ],
  ])("%s", async (name, open, calling) => {
    const done = name.startsWith("anthropic") ? claude([{ type: "text", text: "done" }]) : completion("done");
    const answer = inTurn([calling, done]);
    await using server = await startModelServer((_, response) => json(response, answer()));
    const { result, events } = await run({ agent: open(server.url), ...both });
    expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: "done" });
    const back = JSON.stringify(messagesOf(server.requests[1]!).slice(1));
    const ids = [...back.matchAll(/"(?:id|tool_call_id|tool_use_id)":"([^"]*)"/g)].map(([, id]) => id);
    expect(ids).toHaveLength(4);
    // Each result names its own call; the shape is Mistral's, which is the narrowest.
    expect(new Set(ids).size).toBe(2);
    expect(ids.slice(2)).toEqual(ids.slice(0, 2));
    for (const id of ids) expect(id).toMatch(/^[a-zA-Z0-9]{9}$/);
    const results = messagesOf(server.requests[1]!)
      .slice(2)
      .map(({ content }) => content);
    expect(JSON.stringify(results)).toMatch(/1.*2/);
    const recorded = only(events, "ModelCallEnded").find(({ tool_calls }) => tool_calls !== null);
    expect(JSON.parse(recorded!.tool_calls!).map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2));
  });
});

describe("half a surrogate pair is mended before it is sent, so that the record is what was sent", () => {
  const HALF = "half \ud83d";
  const MENDED = "half \ufffd";
  /** Whether a text of it cannot be written as UTF-8; names of fields are texts too. */
  const isBroken = (value: unknown): boolean => {
    if (typeof value === "string") return !value.isWellFormed();
    if (typeof value !== "object" || value === null) return false;
    return Object.entries(value).some(([name, inner]) => isBroken(name) || isBroken(inner));
  };
  const seen: unknown[] = [];
  const list = defineTool({
    name: "list",
    parameters: { type: "object" },
    run(args) {
      seen.push(args);
      return { found: HALF, [HALF]: [HALF] };
    },
  });
  const openaiCalling = completion(HALF, {
    tool_calls: [
      { id: "a", type: "function", function: { name: "list", arguments: JSON.stringify({ q: HALF }) } },
    ],
  });
  const claudeCalling = claude(
    [
      { type: "text", text: HALF },
      { type: "tool_use", id: "a", name: "list", input: { q: HALF } },
    ],
    "tool_use",
  );
  const options = (baseUrl: string) => ({ model: "m", baseUrl, tools: [list], systemPrompt: HALF });

  test.each<[string, (url: string) => Agent]>([
    ["openai", (url) => openaiAgent(options(url))],
    ["gemini", (url) => geminiAgent(options(url))],
    ["anthropic", (url) => anthropicAgent(options(url))],
    ["http", (url) => httpAgent({ url, template: { [HALF]: "{{prompt}}", system: HALF } })],
    [
      "wrapped openai",
      (url) =>
        functionAgent(async (task, _input, ctx) => {
          const client = wrapOpenAI(new OpenAI({ apiKey: "k", baseURL: url, maxRetries: 0 }), ctx);
          const messages = [{ role: "user" as const, content: task }];
          await client.chat.completions.create({ model: "m", messages });
          await ctx.tool("list", { q: task }, (args) => list.run(args, { signal: AbortSignal.any([]) }));
          await client.responses.create({ model: "m", input: task });
          return task;
        }),
    ],
    [
      "wrapped anthropic",
      (url) =>
        functionAgent(async (task, _input, ctx) => {
          const raw = new Anthropic({ apiKey: "k", baseURL: url.replace(/\/v1$/, ""), maxRetries: 0 });
          const messages = [{ role: "user" as const, content: task }];
          await wrapAnthropic(raw, ctx).messages.create({ model: "m", max_tokens: 9, messages });
          await ctx.tool("list", { q: task }, (args) => list.run(args, { signal: AbortSignal.any([]) }));
          return task;
        }),
    ],
  ])("%s", async (name, open) => {
    seen.length = 0;
    await using server = await startModelServer(({ body, path }, response) => {
      const done =
        !Array.isArray(body["messages"]) || body["messages"].some(({ role }) => role === "assistant");
      if (path.endsWith("/messages"))
        return json(response, done ? claude([{ type: "text", text: "done" }]) : claudeCalling);
      if (path.endsWith("/responses"))
        return json(response, { id: "r", object: "response", model: "m", output: [], status: "completed" });
      json(response, done ? completion("done") : openaiCalling);
    });
    const { result, events } = await run({ agent: open(server.url), task: HALF, ...both });
    expect(result, String(result.error)).toMatchObject({ status: "succeeded" });
    const bodies = server.requests.map(({ body }) => body);
    expect(JSON.stringify(bodies)).toContain(MENDED);
    expect(isBroken(bodies)).toBe(false);
    if (name !== "http") expect(seen).toEqual([{ q: MENDED }]);
    for (const call of only(events, "ToolCallStarted"))
      expect(JSON.parse(call.arguments)).toEqual({ q: MENDED });
    const told = [...only(events, "ModelCallStarted"), ...only(events, "MessageRecorded")];
    expect(
      isBroken(told.map((event) => JSON.parse("messages" in event ? event.messages : event.message))),
    ).toBe(false);
    if (name === "openai" || name === "gemini")
      expect(
        only(events, "ModelCallStarted")
          .filter(({ role }) => role === "student")
          .map(({ messages }) => JSON.parse(messages)),
      ).toEqual(server.requests.map(messagesOf));
  });
});
