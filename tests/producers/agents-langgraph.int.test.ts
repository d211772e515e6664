import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { AIMessage } from "@langchain/core/messages";
import {
  Annotation,
  END,
  interrupt,
  MemorySaver,
  MessagesAnnotation,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { createReactAgent } from "@langchain/langgraph/prebuilt";
import { expect, onTestFinished, test } from "vitest";
import { configuredAgent } from "../../app/configured-agent.ts";
import { loadConfig } from "../../configs/load-config.ts";
import { type LanggraphGraph, langgraphAgent } from "../../producers/agents/langgraph-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { type Answer, completion, json, startModelServer } from "../models/model-server.ts";
import { OPENAI_CHUNKS, sse } from "../models/model-streams.ts";
import { only } from "../recording/memory-log.ts";
import { ServedChatModel } from "./langchain-model.ts";
import { researchGraph, TOOLS } from "./research-graph.ts";
import { INVALID, run, startRoles } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const both = { teacher: model, judge: model };
const students = (events: readonly AtlasEvent[]) =>
  only(events, "ModelCallEnded").filter(({ role }) => role === "student");
const rolesSaid = (events: readonly AtlasEvent[]) => only(events, "MessageRecorded").map(({ role }) => role);

const call = (id: string, name: string, args: object) => ({
  ...{ id, type: "function" },
  function: { name, arguments: JSON.stringify(args) },
});

/** Asks for two tools at first, and answers when it has their results. */
const twoTurns: Answer = ({ body }, response) => {
  const asked = body["messages"] as { role: string }[];
  const calls = [call("a", "search", { q: "x" }), call("b", "broken", {})];
  const isOver = asked.some(({ role }) => role === "tool");
  json(response, isOver ? completion("done") : completion("let me look", { tool_calls: calls }));
};

/** What a session of the research graph looks like, when its model answers in two turns. */
function expectTwoTurns(events: readonly AtlasEvent[]): void {
  const [asked] = only(events, "ModelCallStarted");
  expect(asked).toMatchObject({ model: "m", provider: "ServedChatModel", step_id: 1, attempt: 1 });
  expect(JSON.parse(asked!.parameters!)).toEqual({ temperature: 0.25 });
  expect(JSON.parse(asked!.tools!)).toMatchObject([
    { name: "search", description: "Finds", parameters: { type: "object", required: ["q"] } },
    { name: "broken" },
    { name: "ask" },
  ]);
  expect(students(events)).toMatchObject([
    { content: "let me look", model: "served-model-2", usage: { total_tokens: 18 }, error: null },
    { content: "done", tool_calls: null, error: null },
  ]);
  const tools = only(events, "ToolCallEnded").sort((a, b) => b.name.localeCompare(a.name));
  expect(tools).toMatchObject([
    { name: "search", output: "found x", error: null, step_id: 1, attempt: 1 },
    { name: "broken", output: null, error: expect.stringContaining("disk on fire") },
  ]);
  const started = only(events, "ToolCallStarted").map(({ name, arguments: args }) => [name, args]);
  expect(new Map(started as [string, string][])).toEqual(
    new Map([
      ["search", '{"q":"x"}'],
      ["broken", "{}"],
    ]),
  );
  expect(rolesSaid(events)).toEqual(["user", "assistant", "tool", "tool", "assistant"]);
}

test("a compiled graph with a model node and a tool node: its calls, its conversation and its answer", async () => {
  await using server = await startModelServer(twoTurns);
  const { result, events } = await run({ agent: langgraphAgent(researchGraph(server.url)), ...both });
  expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: "done" });
  expectTwoTurns(events);
  expect(only(events, "AttemptEnded")).toMatchObject([{ status: "completed", output: "done" }]);
});

test("a graph of LangGraph's own making, given tools and a model, is an agent", async () => {
  await using server = await startModelServer(twoTurns);
  const graph = createReactAgent({ llm: new ServedChatModel(server.url), tools: TOOLS, name: "react" });
  const agent = langgraphAgent(graph, { systemPrompt: "be kind" });
  const { result, events } = await run({ agent, ...both });
  expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: "done" });
  expect(events[0]).toMatchObject({ agent: "react", agent_kind: "langgraph" });
  expect(rolesSaid(events)).toEqual(["system", "user", "assistant", "tool", "tool", "assistant"]);
});

test("the export of a module that a YAML file names: options from the file", async () => {
  await using server = await startModelServer(twoTurns);
  const folder = mkdtempSync(join(tmpdir(), "atlas-graph-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const source = pathToFileURL(resolve(import.meta.dirname, "research-graph.ts")).href;
  writeFileSync(
    join(folder, "graph.mjs"),
    `import { researchGraph } from ${JSON.stringify(source)};\nexport const graph = researchGraph(${JSON.stringify(server.url)});\n`,
  );
  const file = (limit: number) => {
    const path = join(folder, `atlas-${limit}.yaml`);
    writeFileSync(
      path,
      `agent: {type: langgraph, name: research, import_path: ./graph.mjs, attribute: graph, options: {recursionLimit: ${limit}}}\n`,
    );
    return path;
  };
  const agentOf = (path: string) => configuredAgent(loadConfig(path, {}).agent!);
  const { result, events } = await run({ agent: await agentOf(file(20)), ...both });
  expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: "done" });
  expectTwoTurns(events);
  const stopped = await run({ agent: await agentOf(file(2)), ...both });
  expect(stopped.result).toMatchObject({ status: "failed", error: { code: "ATLAS_AGENT_FAILED" } });
  expect(stopped.result.error?.message).toMatch(/Recursion limit of 2/);
  expect(students(stopped.events)).toHaveLength(1);
  expect(only(stopped.events, "ToolCallEnded")).toHaveLength(2);
  expect(only(stopped.events, "AttemptEnded")).toMatchObject([{ status: "failed", output: null }]);
});

test("a graph whose model streams is recorded as one whole answer", async () => {
  await using server = await startModelServer(({ body }, response) => {
    expect(body["stream"]).toBe(true);
    sse(response, OPENAI_CHUNKS);
  });
  const llm = new ServedChatModel(server.url, { streaming: true });
  const graph = new StateGraph(MessagesAnnotation)
    .addNode("think", async ({ messages }) => ({ messages: [await llm.invoke(messages)] }))
    .addEdge(START, "think")
    .addEdge("think", END)
    .compile();
  const whole = await run({ agent: langgraphAgent(graph), ...both });
  const states: LanggraphGraph = { stream: (input, options) => graph.stream(input, options) };
  const streamed = await run({ agent: langgraphAgent(states), ...both });
  for (const { result, events } of [whole, streamed]) {
    expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: "Hello" });
    expect(students(events)).toMatchObject([
      { content: "Hello", finish_reason: "tool_calls", model: "served-3", usage: { total_tokens: 9 } },
    ]);
    expect(JSON.parse(students(events)[0]!.tool_calls!)).toEqual([
      call("call_a", "search", { q: "x" }),
      call("call_b", "fetch", {}),
    ]);
  }
});

test("calls inside a tool's own graph have the tool's call as their parent", async () => {
  await using server = await startModelServer(({ body }, response) => {
    const asked = body["messages"] as { role: string; content: string }[];
    if (asked[0]!.content === "inner") return json(response, completion("inner answer"));
    const isOver = asked.some(({ role }) => role === "tool");
    json(response, isOver ? completion("done") : completion(null, { tool_calls: [call("a", "ask", {})] }));
  });
  const { result, events } = await run({ agent: langgraphAgent(researchGraph(server.url)), ...both });
  expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: "done" });
  const [tool] = only(events, "ToolCallStarted");
  expect(tool).toMatchObject({ name: "ask", parent_id: null });
  expect(students(events).map(({ content, parent_id }) => [content, parent_id])).toEqual([
    ["", null],
    ["inner answer", tool!.call_id],
    ["done", null],
  ]);
  expect(only(events, "ToolCallEnded")).toMatchObject([{ output: "inner answer" }]);
});

test("a node that throws, and a model that refuses, are failed attempts with every call ended", async () => {
  await using server = await startModelServer((_, response) =>
    json(response, { error: { message: "overloaded" } }, 400),
  );
  const refused = await run({ agent: langgraphAgent(researchGraph(server.url)), ...both });
  expect(refused.result).toMatchObject({ status: "failed", error: { code: "ATLAS_AGENT_FAILED" } });
  expect(students(refused.events)).toMatchObject([
    { content: null, error: expect.stringContaining("overloaded") },
  ]);
  const graph = new StateGraph(MessagesAnnotation)
    .addNode("think", () => {
      throw new Error("no such state");
    })
    .addEdge(START, "think")
    .compile();
  const { result, events } = await run({ agent: langgraphAgent(graph), ...both });
  expect(result).toMatchObject({ status: "failed", error: { code: "ATLAS_AGENT_FAILED" } });
  expect(result.error?.message).toMatch(/threw: no such state/);
  expect(only(events, "AttemptEnded")).toMatchObject([{ status: "failed" }]);
});

const answering = (answer: () => AIMessage[]) =>
  new StateGraph(MessagesAnnotation)
    .addNode("think", () => ({ messages: answer() }))
    .addEdge(START, "think")
    .addEdge("think", END);

test("a graph that stops to ask a person, or says nothing, has no answer", async () => {
  const asking = answering(() => [new AIMessage(String(interrupt({ approve: "rm -rf" })))]);
  const asked = await run({
    agent: langgraphAgent(asking.compile({ checkpointer: new MemorySaver() })),
    ...both,
  });
  expect(asked.result).toMatchObject({ status: "failed", error: { code: "ATLAS_AGENT_INTERRUPTED" } });
  expect(asked.result.reward).toBeUndefined();
  expect(only(asked.events, "JudgementMade")).toEqual([]);
  expect(asked.result.error?.message).toMatch(/stopped to ask a person: .*\{"approve":"rm -rf"\}/);
  const silent = await run({ agent: langgraphAgent(answering(() => []).compile()), ...both });
  expect(silent.result.error?.message).toMatch(/ended without an answer/);
  expect(silent.result.finalAnswer).toBeUndefined();
  const counting = new StateGraph(Annotation.Root({ messages: Annotation<unknown>, n: Annotation<number> }))
    .addNode("count", () => ({ messages: [], n: 1 }))
    .addEdge(START, "count")
    .compile();
  const odd = await run({ agent: langgraphAgent(counting), ...both });
  expect(odd.result.error?.message).toMatch(/without messages/);
});

test("each attempt on a graph with a checkpointer begins anew, unless its thread is named", async () => {
  const { teacher, judge } = await startRoles({ teacher: [INVALID] });
  const graph = answering(() => [new AIMessage("hi")]).compile({ checkpointer: new MemorySaver() });
  const options = { configurable: { thread_id: "one" } };
  const lengths = async (agent: ReturnType<typeof langgraphAgent>) => {
    const { events } = await run({ agent, teacher, judge, maxRetries: 1 });
    const said = only(events, "MessageRecorded");
    return [1, 2].map((attempt) => said.filter((message) => message.attempt === attempt).length);
  };
  expect(await lengths(langgraphAgent(graph))).toEqual([2, 2]);
  expect(await lengths(langgraphAgent(graph, { options }))).toEqual([2, 4]);
});

test("callbacks of one's own are heard too", async () => {
  const heard: string[] = [];
  const callbacks = [{ handleChainStart: () => void heard.push("chain") }];
  await using server = await startModelServer(twoTurns);
  const agent = langgraphAgent(researchGraph(server.url), { options: { callbacks } });
  const { events } = await run({ agent, ...both });
  expectTwoTurns(events);
  expect(heard).toContain("chain");
});

test("a cancelled run aborts the graph's request, and ends what was open", async () => {
  const controller = new AbortController();
  const closed = Promise.withResolvers<void>();
  await using server = await startModelServer((_, response) => {
    response.on("close", closed.resolve);
    controller.abort();
  });
  const agent = langgraphAgent(researchGraph(server.url));
  const { result, events } = await run({ agent, ...both, signal: controller.signal });
  expect(result.status).toBe("cancelled");
  expect(students(events)).toMatchObject([{ error: expect.stringContaining("ATLAS_CANCELLED") }]);
  await closed.promise;
});
