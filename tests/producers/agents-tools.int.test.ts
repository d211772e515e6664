import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { anthropicAgent } from "../../producers/agents/anthropic-agent.ts";
import { geminiAgent } from "../../producers/agents/gemini-agent.ts";
import { openaiAgent } from "../../producers/agents/openai-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { defineTool } from "../../producers/tools/tool.ts";
import { completion, json, startModelServer } from "../models/model-server.ts";
import { only } from "../recording/memory-log.ts";
import { sideBySide } from "../side-by-side.ts";
import { run } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const both = { teacher: model, judge: model };

beforeEach(() => {
  for (const name of ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"])
    vi.stubEnv(name, "key-0123456789");
});
afterEach(() => vi.unstubAllEnvs());

const call = (id: string, name: string, args: string) => ({
  id,
  type: "function",
  function: { name, arguments: args },
  extra_content: { kept: id },
});

let together = sideBySide(2, 2);
const slow = defineTool({
  name: "slow",
  description: "waits",
  parameters: z.object({ n: z.number().int() }),
  run: ({ n }) => together.work({ doubled: n * 2 }),
});
const broken = defineTool({
  name: "broken",
  parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
  run() {
    throw new Error("disk on fire");
  },
});

test("parallel calls run side by side, failures are told to the model, and all goes back as it came", async () => {
  const calls = [
    call("a", "slow", '{"n":1}'),
    call("b", "slow", '{"n":2}'),
    call("c", "broken", '{"path":"x"}'),
    call("d", "broken", "{}"),
    call("e", "slow", '{"n":'),
    call("f", "none", "{}"),
  ];
  await using server = await startModelServer(({ body }, response) =>
    (body["messages"] as unknown[]).length === 1
      ? json(response, completion(null, { tool_calls: calls, provider_field: 1 }))
      : json(response, completion("done")),
  );
  for (const agent of [openaiAgent, geminiAgent]) {
    server.requests.length = 0;
    together = sideBySide(2, 2);
    const { result, events } = await run({
      agent: agent({ model: "m", baseUrl: server.url, tools: [slow, broken] }),
      ...both,
    });
    expect(result).toMatchObject({ status: "succeeded", finalAnswer: "done" });
    expect(together.most).toBe(2);
    const [, assistant, ...results] = server.requests[1]!.body["messages"] as Record<string, unknown>[];
    expect(assistant).toEqual({ role: "assistant", content: null, tool_calls: calls, provider_field: 1 });
    expect(results.map(({ role, tool_call_id }) => [role, tool_call_id])).toEqual(
      ["a", "b", "c", "d", "e", "f"].map((id) => ["tool", id]),
    );
    const said = results.map(({ content }) => String(content));
    expect(said.slice(0, 2)).toEqual(['{"doubled":2}', '{"doubled":4}']);
    for (const [at, text] of [/disk on fire/, /do not fit.*path/, /not JSON/, /no tool none/].entries())
      expect(said[at + 2]).toMatch(text);
    const ended = only(events, "ToolCallEnded");
    expect(ended).toHaveLength(6);
    expect(ended.filter(({ error }) => error !== null)).toHaveLength(4);
    expect(only(events, "MessageRecorded").map(({ role }) => role)).toEqual([
      ...["user", "assistant"],
      ...Array(6).fill("tool"),
      "assistant",
    ]);
  }
});

test("Anthropic's blocks and results round-trip, the results of one turn in one message", async () => {
  const blocks = [
    { type: "thinking", thinking: "hm", signature: "sig" },
    { type: "tool_use", id: "t1", name: "slow", input: { n: 4 } },
    { type: "tool_use", id: "t2", name: "slow", input: { n: 5 } },
  ];
  const message = (content: unknown) => ({
    id: "msg",
    type: "message",
    role: "assistant",
    model: "claude-y",
    content,
    stop_reason: "end_turn",
    usage: { input_tokens: 1, output_tokens: 1 },
  });
  await using server = await startModelServer(({ body }, response) =>
    json(
      response,
      message((body["messages"] as unknown[]).length === 1 ? blocks : [{ type: "text", text: "done" }]),
    ),
  );
  const agent = anthropicAgent({ model: "m", baseUrl: server.url, tools: [slow] });
  const { result } = await run({ agent, ...both });
  expect(result.finalAnswer).toBe("done");
  expect((server.requests[1]!.body["messages"] as unknown[]).slice(1)).toEqual([
    { role: "assistant", content: blocks },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "t1", content: '{"doubled":8}' },
        { type: "tool_result", tool_use_id: "t2", content: '{"doubled":10}' },
      ],
    },
  ]);
});

test("a model that never stops calling tools is stopped at its last turn", async () => {
  await using server = await startModelServer((_, response) =>
    json(response, completion(null, { tool_calls: [call("a", "slow", '{"n":1}')] })),
  );
  const agent = openaiAgent({ model: "m", baseUrl: server.url, tools: [slow], maxTurns: 3 });
  const { result } = await run({ agent, ...both });
  expect(result.status).toBe("failed");
  expect(result.error?.message).toMatch(/still called tools at turn 3/);
  expect(server.requests).toHaveLength(3);
});
