import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { registerAgent, registeredAgent } from "../../producers/agents/agent-registry.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { agentOf } from "../../producers/agents/object-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
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

test("a kind of one's own is registered once it is not one of Atlas's", () => {
  const factory = () => functionAgent(() => "hi");
  registerAgent("mine", factory);
  expect(registeredAgent("mine")).toBe(factory);
  expect(() => registerAgent("http", factory)).toThrow(/a kind of agent already/);
});
