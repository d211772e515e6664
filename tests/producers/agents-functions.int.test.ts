import { createServer, get } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { guardLogger } from "../../logging/guard-logger.ts";
import type { LogFields } from "../../logging/logger.ts";
import { type AgentFunction, functionAgent } from "../../producers/agents/function-agent.ts";
import type { SessionOptions } from "../../producers/run-session.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { openaiChat } from "../../sinks/formats/openai-chat.ts";
import { trlMessages } from "../../sinks/formats/trl.ts";
import { trlPreference } from "../../sinks/formats/trl-preference.ts";
import { foldSession } from "../../traces/fold.ts";
import { INVALID, run, startRoles, VALID } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const alone = { teacher: model, judge: model, lane: { forced: "auto" } } as const;

const traced = async (fn: AgentFunction, options: Partial<SessionOptions> = {}) => {
  const { events } = await run({
    ...alone,
    task: "do it",
    ...options,
    agent: functionAgent(fn, { name: "fn" }),
  });
  return foldSession(events);
};

interface Line {
  messages: Record<string, unknown>[];
  tools?: { function: { name: string } }[];
}
const chatOf = (trace: ReturnType<typeof foldSession>): Line[] =>
  openaiChat.encode(trace).map((line) => JSON.parse(line) as Line);

const user = (content: string) => ({ role: "user", content });
const said = (content: string) => ({ role: "assistant", content });
const called = (name: string, text: string) => ({
  role: "assistant",
  content: null,
  tool_calls: [{ id: expect.any(String), type: "function", function: { name, arguments: text } }],
});

test("what a function was asked is its prompt, and nothing that nobody said", async () => {
  const [line] = chatOf(await traced((task) => `done: ${task}`));
  expect(line!.messages).toEqual([user("do it"), said("done: do it")]);
});

test("the tools that a function used, those that failed too, stand between what it was asked and its answer", async () => {
  const trace = await traced(async (_task, _input, ctx) => {
    await ctx
      .tool("read", { path: "a" }, () => {
        throw new Error("boom");
      })
      .catch(() => undefined);
    await ctx.tool("save", null, async () => {
      await ctx.tool("inner", {}, () => 1);
      return { saved: true };
    });
    return "done";
  });
  const [line] = chatOf(trace);
  expect(line!.messages).toEqual([
    user("do it"),
    called("read", '{"path":"a"}'),
    { role: "tool", tool_call_id: expect.any(String), content: expect.stringContaining("boom") },
    called("save", "{}"),
    { role: "tool", tool_call_id: expect.any(String), content: '{"saved":true}' },
    said("done"),
  ]);
  expect(line!.tools!.map(({ function: { name } }) => name)).toEqual(["read", "save"]);
  expect(trlMessages.encode(trace)).toHaveLength(1);
});

test("a call that no chat can hold keeps the session out, by name", async () => {
  const trace = await traced(async (_task, _input, ctx) => {
    await ctx.tool("notify", "a text", () => undefined);
    return "done";
  });
  expect(openaiChat.encode(trace)).toEqual([]);
  expect(openaiChat.reasonAgainst(trace)).toBe("tool-arguments-not-json");
});

test("a prompt that the runtime made is the one that the function was given", async () => {
  const prompts: string[] = [];
  const trace = await traced(
    (task, { step }) => {
      if (step.id > 0) prompts.push(task);
      return step.id > 0
        ? "done"
        : '{"steps": [{"id": 1, "description": "look"}, {"id": 2, "description": "act", "depends_on": [1]}]}';
    },
    { executionMode: "stepwise" },
  );
  const lines = chatOf(trace);
  expect(prompts).toHaveLength(2);
  expect(prompts[1]).toContain("What came of the steps before");
  expect(lines.map(({ messages }) => messages)).toEqual(
    prompts.map((prompt) => [user(prompt), said("done")]),
  );
});

test("a second attempt follows the first and what the teacher said of it", async () => {
  const { teacher, judge } = await startRoles({ teacher: [INVALID, VALID] });
  const options = { teacher, judge, lane: { forced: "paired" as const } };
  const trace = await traced((_task, { step }) => `try ${step.attempt}`, options);
  // What the teacher rejected is no turn to learn; it is there on request.
  expect(chatOf(trace)[0]!.messages).toEqual([user("do it"), said("try 2")]);
  const [weighed] = openaiChat.with("rejected=weight").encode(trace);
  expect(JSON.parse(weighed!)).toMatchObject({
    messages: [user("do it"), { ...said("try 1"), weight: 0 }, user("say it in French"), said("try 2")],
  });
  const [pair] = trlPreference.encode(trace).map((line) => JSON.parse(line) as Record<string, object[]>);
  expect(pair).toMatchObject({ prompt: [user("do it")], chosen: [said("try 2")], rejected: [said("try 1")] });
});

const server = createServer((_request, response) => response.end("hi"));
let url = "";
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const byFetch = async (): Promise<string> => (await fetch(url)).text();
const byHttp = (): Promise<string> =>
  new Promise((resolve) => get(url, (response) => response.resume().on("end", () => resolve("hi"))));

const ASKING: Record<string, AgentFunction> = {
  "fetch of its own": byFetch,
  "node:http of its own": byHttp,
};
const SEEN: Record<string, AgentFunction> = {
  "no request": () => "a",
  "a tool that asks": (_task, _input, ctx) => ctx.tool("get", {}, byFetch),
  "a recorded model beside it": async (_task, _input, ctx) => {
    await byFetch();
    return (await ctx.model(model, { messages: [{ role: "user", content: "2 + 2?" }] })).content;
  },
};

async function toldOf(name: string, fn: AgentFunction): Promise<LogFields[]> {
  const told: LogFields[] = [];
  const none = () => undefined;
  const logger = guardLogger({
    debug: none,
    info: none,
    error: none,
    warn: (fields) => void told.push(fields),
  });
  // The second run asks all at once, and another agent beside it does not ask.
  const agent = functionAgent(fn, { name });
  await run({ ...alone, logger, agent });
  await Promise.all([
    run({ ...alone, logger, agent }),
    run({ ...alone, logger, agent: functionAgent(() => "b", { name: `beside ${name}` }) }),
  ]);
  return told;
}

test.each(Object.entries(ASKING))(
  "an agent that asks by %s is told once that nobody records it",
  async (name, fn) => {
    expect(await toldOf(name, fn)).toEqual([
      { component: "agent", code: "ATLAS_CALLS_UNSEEN", session: expect.any(String) },
    ]);
  },
);

test.each(Object.entries(SEEN))("nothing is told of an agent with %s", async (name, fn) => {
  expect(await toldOf(name, fn)).toEqual([]);
});
