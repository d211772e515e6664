import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { registerAgent, registeredAgent } from "../../producers/agents/agent-registry.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import type { LangchainHandler } from "../../producers/agents/langchain-handler.ts";
import { langgraphAgent } from "../../producers/agents/langgraph-agent.ts";
import { agentOf } from "../../producers/agents/object-agent.ts";
import { simulatedModel } from "../../producers/models/simulated.ts";
import { only } from "./memory-log.ts";
import { run } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const both = { teacher: model, judge: model };

test("the pieces of a generator are joined, bytes within a character too", async () => {
  const bytes = new TextEncoder().encode("é");
  const agent = functionAgent(async function* pieces() {
    yield "caf";
    await sleep(1);
    yield bytes.slice(0, 1);
    yield bytes.slice(1);
  });
  expect((await run({ agent, ...both })).result.finalAnswer).toBe("café");
});

test("objects with act, invoke or generate are agents", async () => {
  const phases = {
    name: "planner",
    plan: (prompt: string) => [`look at ${prompt}`],
    act: (_prompt: string, { plan }: { plan: unknown }) => ({ did: plan }),
    summarize: (_prompt: string, { outcome }: { outcome: unknown }) => JSON.stringify(outcome),
  };
  expect((await run({ agent: agentOf(phases), ...both })).result.finalAnswer).toBe(
    '{"did":["look at Say hello"]}',
  );
  const invokable = {
    invoke: async (prompt: string) => ({ content: [{ type: "text", text: `to ${prompt}` }] }),
  };
  expect((await run({ agent: agentOf(invokable), ...both })).result.finalAnswer).toBe("to Say hello");
  const generating = { generate: async () => ({ text: "generated" }) };
  expect((await run({ agent: agentOf(generating), ...both })).result.finalAnswer).toBe("generated");
  expect(() => agentOf({} as typeof generating)).toThrow(/none of act, invoke and generate/);
});

test("a graph is asked with messages, and what happens inside it is recorded", async () => {
  const said: unknown[] = [];
  const graph = {
    name: "support",
    async invoke(input: { messages: object[] }, options: { callbacks: unknown[] }) {
      const handler = options.callbacks[0] as LangchainHandler;
      said.push(...input.messages);
      handler.handleChainStart({}, {}, "graph");
      handler.handleToolStart({ id: ["tools", "search"] }, '{"q":"x"}', "tool", "graph");
      await sleep(1);
      const llm = { id: ["langchain", "ChatOpenAI"] };
      const asked = [[{ getType: () => "human", content: "inner" }]];
      handler.handleChainStart({}, {}, "inner", "tool");
      handler.handleChatModelStart(llm, asked, "model", "inner", { invocation_params: { model: "gpt-x" } });
      await handler.handleLLMEnd(
        {
          generations: [
            [
              {
                text: "thought",
                message: {
                  response_metadata: { model_name: "gpt-x-1", finish_reason: "stop" },
                  usage_metadata: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
                },
              },
            ],
          ],
        },
        "model",
      );
      await handler.handleToolEnd({ content: "found" }, "tool");
      return { messages: [...input.messages, { getType: () => "ai", content: "the answer" }] };
    },
  };
  const { result, events } = await run({
    agent: langgraphAgent(graph, { systemPrompt: "be kind" }),
    ...both,
  });
  expect(result.finalAnswer).toBe("the answer");
  expect(said).toEqual([
    { role: "system", content: "be kind" },
    { role: "user", content: "Say hello" },
  ]);
  const [tool] = only(events, "ToolCallStarted");
  expect(tool).toMatchObject({ name: "search", arguments: '{"q":"x"}', parent_id: null });
  expect(only(events, "ToolCallEnded")[0]).toMatchObject({ output: "found", error: null });
  const student = only(events, "ModelCallEnded").filter(({ role }) => role === "student");
  expect(student).toMatchObject([
    { parent_id: tool?.call_id, model: "gpt-x-1", content: "thought", usage: { total_tokens: 5 } },
  ]);
  expect(only(events, "MessageRecorded").map(({ role }) => role)).toEqual(["system", "user", "assistant"]);
});

test("a graph that only streams gives its last state, and one without messages says so", async () => {
  const streaming = {
    async stream(input: { messages: object[] }) {
      return (async function* states() {
        yield { messages: input.messages };
        yield { messages: [...input.messages, { type: "ai", content: "last" }] };
      })();
    },
  };
  expect((await run({ agent: langgraphAgent(streaming), ...both })).result.finalAnswer).toBe("last");
  const odd = { invoke: async () => ({ value: 1 }) };
  expect((await run({ agent: langgraphAgent(odd), ...both })).result.error?.message).toMatch(
    /without messages/,
  );
});

test("a kind of one's own is registered once it is not one of Atlas's", () => {
  const factory = () => functionAgent(() => "hi");
  registerAgent("mine", factory);
  expect(registeredAgent("mine")).toBe(factory);
  expect(() => registerAgent("http", factory)).toThrow(/a kind of agent already/);
});
