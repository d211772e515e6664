import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { isAtlasError } from "../../errors/atlas-error.ts";
import { type Agent, defineAgent } from "../../producers/agents/agent.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { openaiAgent } from "../../producers/agents/openai-agent.ts";
import { runSession } from "../../producers/run-session.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { createFlusher } from "../../recording/flusher.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { completion, json, startModelServer } from "../models/model-server.ts";
import { MemoryLog, only } from "../recording/memory-log.ts";
import { checkSession } from "./session-checks.ts";
import { RULES_HASH, run } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const both = { teacher: model, judge: model };
const runAgent = (agent: Agent) => run({ agent, ...both });

test("an agent that throws fails its session with what it said, and nothing crashes", async () => {
  const { result, events } = await runAgent(
    functionAgent(() => {
      throw new RangeError("out of cheese");
    }),
  );
  expect(result.status).toBe("failed");
  expect(isAtlasError(result.error, "ATLAS_AGENT_FAILED")).toBe(true);
  expect(result.error?.cause).toBeInstanceOf(RangeError);
  expect(only(events, "AttemptEnded")[0]).toMatchObject({
    status: "failed",
    error: expect.stringContaining("out of cheese"),
  });
  expect(only(events, "AttemptEnded")[0]?.error).not.toContain("\n");
  expect(only(events, "StepEnded")[0]).toMatchObject({ status: "failed", attempts: 1 });
  expect(only(events, "StepValidated")).toEqual([]);
});

test.each([[undefined], [null], [42], [{ text: "hi" }], [{ content: 7 }]])(
  "an agent that answers with %j fails with what to do",
  async (answer) => {
    const { result } = await runAgent(
      defineAgent({ name: "odd", invoke: () => answer as unknown as string }),
    );
    expect(isAtlasError(result.error, "ATLAS_AGENT_FAILED")).toBe(true);
    expect(result.error?.hint).toMatch(/Answer with a string/);
  },
);

test("tool and model calls are recorded with their place, arguments, results and parents", async () => {
  const { result, events } = await runAgent(
    defineAgent({
      name: "mine",
      async invoke({ task }, ctx) {
        const hits = await ctx.tool("search", { task, limit: 2 }, async ({ limit }) => {
          const nested = await ctx.tool("fetch", { url: "x" }, () => "page");
          await ctx.model(model, { messages: [{ role: "user", content: nested }] });
          return { limit, nested };
        });
        await ctx.tool("notify", "text", () => undefined);
        return { content: hits.nested, deliverable: { hits }, artifacts: { file: "a" }, trace: "searched" };
      },
    }),
  );
  const [search, fetch, notify] = only(events, "ToolCallStarted");
  expect(search).toMatchObject({ name: "search", step_id: 1, attempt: 1, parent_id: null });
  expect(search?.arguments).toBe('{"task":"Say hello","limit":2}');
  expect(fetch).toMatchObject({ name: "fetch", parent_id: search?.call_id });
  expect(notify).toMatchObject({ name: "notify", parent_id: null, arguments: '"text"' });
  expect(only(events, "ModelCallStarted")[0]).toMatchObject({ role: "student", parent_id: search?.call_id });
  const ended = new Map(only(events, "ToolCallEnded").map((event) => [event.name, event]));
  expect(ended.get("search")?.output).toBe('{"limit":2,"nested":"page"}');
  expect(ended.get("fetch")?.output).toBe("page");
  expect(ended.get("notify")?.output).toBeNull();
  expect(only(events, "StepEnded")[0]).toMatchObject({
    output: "page",
    trace: "searched",
    deliverable: '{"hits":{"limit":2,"nested":"page"}}',
    artifacts: '{"file":"a"}',
  });
  expect(only(events, "AttemptEnded")[0]?.usage).toMatchObject({ calls: 1 });
  expect(result.status).toBe("succeeded");
});

test("a tool that throws is a failed call, and the agent may go on", async () => {
  const { result, events } = await runAgent(
    functionAgent(async (_task, _input, ctx) => {
      const failure = await ctx.tool("break", {}, () => Promise.reject(new Error("broken"))).catch(String);
      return `it said ${failure}`;
    }),
  );
  expect(result).toMatchObject({ status: "succeeded", finalAnswer: "it said Error: broken" });
  expect(only(events, "ToolCallEnded")[0]).toMatchObject({
    output: null,
    error: expect.stringContaining("broken"),
  });
});

test("calls that an agent does not wait for end with its attempt, once", async () => {
  const slow = Promise.withResolvers<string>();
  const { result, events } = await runAgent(
    functionAgent(async (_task, _input, ctx) => {
      const begun = Promise.withResolvers<void>();
      void ctx.tool("slow", {}, () => {
        begun.resolve();
        return slow.promise;
      });
      void ctx.model(simulatedModel({ latencyMs: 60_000 }), { messages: [] });
      await begun.promise;
      return "done";
    }),
  );
  expect(result.status).toBe("succeeded");
  expect(only(events, "ToolCallEnded")).toMatchObject([
    { error: "the agent answered before this call ended" },
  ]);
  slow.resolve("late");
  await slow.promise;
});

test("arguments that JSON cannot hold are recorded as well as they can be", async () => {
  const cycle: Record<string, unknown> = { n: 1n };
  cycle["self"] = cycle;
  const { events } = await runAgent(
    functionAgent(async (_task, _input, ctx) => {
      await ctx.tool("odd", cycle, () => new Map([["found", new Set(["a"])]]));
      return "done";
    }),
  );
  const [started] = only(events, "ToolCallStarted");
  expect(JSON.parse(started!.arguments)).toEqual({ n: "1", self: "[Circular]" });
  expect(only(events, "ToolCallEnded")[0]!.output).toBe('{"found":["a"]}');
});

test("a retry tells the agent what it said before and what its teacher thinks of it", async () => {
  const seen: unknown[] = [];
  const { result } = await runAgent(
    functionAgent((_task, { guidance, step }) => {
      seen.push({ guidance: [...guidance], attempt: step.attempt, previous: step.previous });
      return step.attempt === 1 ? " " : "better";
    }),
  );
  expect(result.status).toBe("succeeded");
  expect(seen).toEqual([
    { guidance: [], attempt: 1, previous: undefined },
    { guidance: ["[simulated] Answer the task."], attempt: 2, previous: " " },
  ]);
});

test("an agent behind the OpenAI API is one option away", async () => {
  await using server = await startModelServer((_, response) => json(response, completion("bonjour")));
  const agent = openaiAgent({ model: "m", baseUrl: server.url, systemPrompt: "be brief", temperature: 0.3 });
  const { result, events } = await runAgent(agent);
  expect(result.finalAnswer).toBe("bonjour");
  expect(server.requests[0]?.body).toMatchObject({ model: "m", temperature: 0.3 });
  expect(only(events, "ModelCallStarted")[0]?.parameters).toBe('{"temperature":0.3}');
  expect(events[0]).toMatchObject({ agent: "m", agent_kind: "openai" });
});

test("fifty sessions at once on one flusher do not mix", async () => {
  const log = new MemoryLog();
  log.before = () => sleep(1);
  const flusher = createFlusher(log);
  const heard = new Map<number, AtlasEvent[]>();
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, n) => {
      const agent = functionAgent(
        async (task, _input, ctx) => {
          const parts = [1, 2, 3].map((part) =>
            ctx.tool(`tool-${n}`, { n, part }, async () => {
              await sleep(Math.random() * 10);
              return ctx.tool(`inner-${n}`, { n }, () => `${task}/${part}`);
            }),
          );
          return (await Promise.all(parts)).join();
        },
        { name: `agent-${n}` },
      );
      const events: AtlasEvent[] = [];
      heard.set(n, events);
      const onEvent = (event: AtlasEvent) => void events.push(event);
      return runSession({ task: `task-${n}`, agent, ...both, flusher, rulesHash: RULES_HASH, onEvent });
    }),
  );
  await Promise.all(results.map(({ durable }) => durable));
  for (const [n, { sessionId, finalAnswer, tokens }] of results.entries()) {
    const events = log.session(sessionId);
    checkSession(events);
    expect(heard.get(n)?.map(({ meta }) => meta)).toMatchObject(
      events.map(({ meta: { event_id } }) => ({ event_id })),
    );
    expect(finalAnswer).toBe(`task-${n}/1,task-${n}/2,task-${n}/3`);
    expect(tokens.calls).toBe(2);
    const calls = only(events, "ToolCallStarted");
    expect(calls).toHaveLength(6);
    const own = new Set(calls.map(({ call_id }) => call_id));
    for (const { name, parent_id } of calls) {
      expect(name).toMatch(new RegExp(`^(tool|inner)-${n}$`));
      expect(parent_id === null ? name.startsWith("tool") : own.has(parent_id!)).toBe(true);
    }
  }
  expect(log.mostOutstanding).toBe(1);
});
