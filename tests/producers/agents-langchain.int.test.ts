import { HumanMessage, type ToolCall } from "@langchain/core/messages";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { RunnableLambda, RunnableParallel } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { FakeListChatModel, FakeStreamingLLM } from "@langchain/core/utils/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { langchainHandler } from "../../producers/agents/langchain-handler.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { completion, json, startModelServer } from "../models/model-server.ts";
import { OPENAI_CHUNKS, sse } from "../models/model-streams.ts";
import { only } from "../recording/memory-log.ts";
import { ServedChatModel } from "./langchain-model.ts";
import { run } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const both = { teacher: model, judge: model };
const students = (events: readonly AtlasEvent[]) =>
  only(events, "ModelCallEnded").filter(({ role }) => role === "student");
const byName = <T extends { name: string }>(calls: readonly T[]) =>
  new Map(calls.map((call) => [call.name, call]));

test("a chain of a prompt, a model and a parser is recorded, plainly called and in a batch", async () => {
  const chat = new FakeListChatModel({ responses: ["one", "two", "three"], sleep: 5 });
  const chain = ChatPromptTemplate.fromMessages([
    ["system", "be brief"],
    ["human", "{task}"],
  ])
    .pipe(chat)
    .pipe(new StringOutputParser());
  const agent = functionAgent(async (task, _input, ctx) => {
    const callbacks = [langchainHandler(ctx)];
    const first = await chain.invoke({ task }, { callbacks });
    const rest = await chain.batch([{ task: "a" }, { task: "b" }], { callbacks });
    return [first, ...rest.sort()].join(" ");
  });
  const { result, events } = await run({ agent, ...both });
  expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: "one three two" });
  expect(JSON.parse(only(events, "ModelCallStarted")[0]!.messages)).toEqual([
    { role: "system", content: "be brief" },
    { role: "user", content: "Say hello" },
  ]);
  expect(students(events).map(({ content }) => content)).toEqual(["one", "two", "three"]);
  for (const call of students(events))
    expect(call).toMatchObject({ parent_id: null, step_id: 1, error: null });
});

test("parallel runs that nest: tools in chains, chains in tools, models in both, each with its parent", async () => {
  const rightEnded = Promise.withResolvers<void>();
  await using server = await startModelServer(async ({ body }, response) => {
    const [{ content }] = body["messages"] as [{ content: string }];
    if (content === "left") await rightEnded.promise;
    json(response, completion(`re ${content}`));
  });
  const chat = new ServedChatModel(server.url);
  const schema = z.object({ q: z.string() });
  const deepest = tool(async ({ q }, config) => (await chat.invoke(`deep ${q}`, config)).text, {
    ...{ name: "deepest", description: "Asks", schema },
  });
  const inner = RunnableLambda.from(async (asked: string, config) => (await chat.invoke(asked, config)).text);
  const asking = (name: string) =>
    tool(
      async ({ q }, config) => {
        const [answer, below] = await Promise.all([inner.invoke(q, config), deepest.invoke({ q }, config)]);
        return `${answer}; ${below}`;
      },
      { name, description: "Asks", schema },
    );
  const sides = RunnableParallel.from({
    left: RunnableLambda.from((_, config) => asking("left").invoke({ q: "left" }, config)),
    right: RunnableLambda.from((_, config) =>
      asking("right").invoke({ q: "right" }, config).finally(rightEnded.resolve),
    ),
  });
  const agent = functionAgent(async (_task, _input, ctx) => {
    const { left, right } = await sides.invoke({}, { callbacks: [langchainHandler(ctx)] });
    return `${left} | ${right}`;
  });
  const { result, events } = await run({ agent, ...both });
  expect(result.finalAnswer, String(result.error)).toBe("re left; re deep left | re right; re deep right");
  const tools = only(events, "ToolCallStarted");
  expect(tools).toHaveLength(4);
  const { call_id: left } = byName(tools).get("left")!;
  const { call_id: right } = byName(tools).get("right")!;
  const deep = tools.filter(({ name }) => name === "deepest");
  expect(deep.map(({ parent_id }) => parent_id).sort()).toEqual([left, right].sort());
  const parentOf = new Map(students(events).map(({ content, parent_id }) => [content, parent_id]));
  const below = (parent: string) => deep.find(({ parent_id }) => parent_id === parent)!.call_id;
  expect(parentOf).toEqual(
    new Map([
      ["re left", left],
      ["re right", right],
      ["re deep left", below(left)],
      ["re deep right", below(right)],
    ]),
  );
  const ends = byName(only(events, "ToolCallEnded"));
  expect(ends.get("left")!.meta.sequence).toBeGreaterThan(ends.get("right")!.meta.sequence);
});

test("tools: what they are called with, what they give back and what they throw, as it is", async () => {
  const schema = z.object({ n: z.number() });
  const object = tool(({ n }) => ({ hits: [n], big: "x".repeat(300_000) }), {
    ...{ name: "object", description: "d", schema },
  });
  const artifact = tool(({ n }) => [[{ type: "text", text: `seen ${n}` }], { raw: n }], {
    ...{ name: "artifact", description: "d", schema, responseFormat: "content_and_artifact" },
  });
  const text = tool((input: string) => input, { name: "text", description: "d", schema: z.string() });
  const broken = tool(
    (_: { n: number }): string => {
      throw new Error("disk on fire");
    },
    { name: "broken", description: "d", schema },
  );
  const call = (name: string): ToolCall & { type: "tool_call" } => ({
    ...{ id: `call_${name}`, type: "tool_call", name },
    args: { n: 7 },
  });
  const agent = functionAgent(async (_task, _input, ctx) => {
    const callbacks = [langchainHandler(ctx)];
    await object.invoke({ n: 7 }, { callbacks });
    await artifact.invoke(call("artifact"), { callbacks });
    await text.invoke("42", { callbacks });
    await expect(broken.invoke({ n: 7 }, { callbacks })).rejects.toThrow("disk on fire");
    return "done";
  });
  const { result, events } = await run({ agent, ...both });
  expect(result.status, String(result.error)).toBe("succeeded");
  const asked = byName(only(events, "ToolCallStarted"));
  for (const name of ["object", "artifact", "broken"]) expect(asked.get(name)?.arguments).toBe('{"n":7}');
  expect(asked.get("text")?.arguments).toMatch(/"42"/);
  const ended = byName(only(events, "ToolCallEnded"));
  expect(JSON.parse(ended.get("artifact")!.output!)).toEqual([{ type: "text", text: "seen 7" }]);
  expect(ended.get("text")).toMatchObject({ output: "42", error: null });
  expect(ended.get("broken")).toMatchObject({ output: null, error: expect.stringContaining("disk on fire") });
  expect(ended.get("object")!.error).toBeNull();
});

test("models: streams, half streams, refusals, and calls that the model wrote wrongly", async () => {
  await using server = await startModelServer(({ body }, response) => {
    const [{ content }] = body["messages"] as [{ content: string }];
    if (content === "bad") return json(response, { error: { message: "no such model" } }, 404);
    if (content !== "wrong") return sse(response, OPENAI_CHUNKS);
    const pieces = ['{"q":', "oops"].map((text, at) => ({
      ...{ id: "c", object: "chat.completion.chunk", created: 1, model: "served-3" },
      choices: [
        {
          ...{ index: 0, finish_reason: at === 1 ? "tool_calls" : null },
          delta: {
            tool_calls: [
              {
                index: 0,
                ...(at === 0 ? { id: "c1" } : {}),
                function: { ...(at === 0 ? { name: "search" } : {}), arguments: text },
              },
            ],
          },
        },
      ],
    }));
    sse(response, pieces as object[]);
  });
  const chat = new ServedChatModel(server.url, { streaming: true });
  const agent = functionAgent(async (_task, _input, ctx) => {
    const callbacks = [langchainHandler(ctx)];
    let joined = "";
    for await (const piece of await chat.stream("whole", { callbacks })) joined += piece.text;
    for await (const piece of await chat.stream("half", { callbacks })) if (piece.text === "Hel") break;
    await expect(chat.invoke("bad", { callbacks })).rejects.toThrow(/no such model/);
    await chat.invoke([new HumanMessage("wrong")], { callbacks });
    return joined;
  });
  const { result, events } = await run({ agent, ...both });
  expect(result.finalAnswer, String(result.error)).toBe("Hello");
  const content = new Map(
    only(events, "ModelCallStarted").map(({ messages, call_id }) => [
      call_id,
      JSON.parse(messages)[0].content,
    ]),
  );
  const ended = new Map(students(events).map((call) => [content.get(call.call_id), call]));
  expect(ended.get("whole")).toMatchObject({ content: "Hello", error: null, usage: { total_tokens: 9 } });
  expect(ended.get("bad")).toMatchObject({ content: null, error: expect.stringContaining("no such model") });
  expect(JSON.parse(ended.get("wrong")!.tool_calls!)).toEqual([
    {
      ...{ id: "c1", type: "function", function: { name: "search", arguments: '{"q":oops' } },
      error: expect.stringMatching(/not JSON/),
    },
  ]);
  // LangChain tells nobody that the reader of a stream left it.
  expect(ended.get("half")).toMatchObject({
    content: null,
    error: expect.stringMatching(/before this call ended/),
  });
});

test("a model of plain text is recorded by its prompt", async () => {
  const llm = new FakeStreamingLLM({ responses: ["plain"] });
  const agent = functionAgent((task, _input, ctx) =>
    llm.invoke(task, { callbacks: [langchainHandler(ctx)] }),
  );
  const { result, events } = await run({ agent, ...both });
  expect(result.finalAnswer, String(result.error)).toBe("plain");
  expect(students(events)).toMatchObject([{ content: "plain", error: null }]);
  expect(only(events, "ModelCallStarted")[0]?.messages).toBe('[{"role":"user","content":"Say hello"}]');
});
