import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { defineTool } from "../../producers/tools/tool.ts";
import { type Answer, json, type SeenRequest, startModelServer } from "../models/model-server.ts";
import { only } from "../recording/memory-log.ts";
import { hostileAtlas } from "./hostile-run.ts";
import { type HostileCall, KEYS, PROVIDERS, type Provider } from "./providers.ts";

const run = hostileAtlas();
beforeEach(() => {
  for (const name of KEYS) vi.stubEnv(name, "key-0123456789");
});

const double = defineTool({
  name: "double",
  parameters: z.object({ n: z.number() }),
  run: ({ n }) => ({ doubled: n * 2 }),
});
const now = defineTool({ name: "now", parameters: z.object({}), run: () => "noon" });
const broken = defineTool({
  name: "broken",
  parameters: z.object({}),
  run: () => Promise.reject(new TypeError("disk\non fire")),
});
let interrupted: unknown;
const hanging = defineTool({
  name: "hanging",
  parameters: z.object({}),
  run: (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        interrupted = signal.reason;
        reject(signal.reason);
      });
    }),
});
const deaf = defineTool({ name: "deaf", parameters: z.object({}), run: () => new Promise(() => {}) });
const TOOLS = [double, now, broken, hanging, deaf];

/** A server that calls tools first, and answers when it got results; and whether a request brings results. */
const calling =
  (provider: Provider, calls: readonly HostileCall[]): Answer =>
  ({ body }, response) =>
    json(
      response,
      (body["messages"] as unknown[]).length === 1 ? provider.calls(calls) : provider.answer("done"),
    );

/** The results that went back to a server, in either shape, by their order. */
function resultsIn({ body }: SeenRequest): { id: unknown; content: string }[] {
  const messages = body["messages"] as { role: string; tool_call_id?: unknown; content: unknown }[];
  return messages.slice(2).flatMap(({ role, tool_call_id, content }) =>
    role === "tool"
      ? [{ id: tool_call_id, content: String(content) }]
      : (content as { tool_use_id: unknown; content: string }[]).map((result) => ({
          id: result.tool_use_id,
          content: result.content,
        })),
  );
}

async function callTools(provider: Provider, calls: readonly HostileCall[], options: object = {}) {
  await using server = await startModelServer(calling(provider, calls));
  const agent = provider.agent({ model: "m", baseUrl: server.url, maxRetries: 0, tools: TOOLS });
  const [told] = await run({ agent, ...options });
  const { result, events } = told!;
  return { result, events, requests: server.requests, ended: only(events, "ToolCallEnded") };
}

describe.each(PROVIDERS.map((provider) => [provider.name, provider] as const))("%s", (name, provider) => {
  const args = (value: object) => (name === "anthropic" ? value : JSON.stringify(value));

  test("calls with one id, an unknown tool, a tool that throws: each has its pair and its result, in order", async () => {
    const { result, events, requests, ended } = await callTools(provider, [
      { id: "same", name: "double", args: args({ n: 1 }) },
      { id: "same", name: "double", args: args({ n: 2 }) },
      { id: "c", name: "nowhere", args: args({}) },
      { id: "d", name: "broken", args: args({}) },
      { id: "e", name: "double", args: args({ n: "two" }) },
    ]);
    expect(result).toMatchObject({ status: "succeeded", finalAnswer: "done" });
    const results = resultsIn(requests[1]!);
    const ids = results.map(({ id }) => id);
    expect(ids).toEqual(["same", expect.stringMatching(/^[a-zA-Z0-9]{9}$/), "c", "d", "e"]);
    const [, said] = requests[1]!.body["messages"] as { tool_calls?: object[]; content: object[] }[];
    expect((said?.tool_calls ?? said?.content)?.map((call) => (call as { id: string }).id)).toEqual(ids);
    for (const [at, text] of [
      /^\{"doubled":2\}$/,
      /^\{"doubled":4\}$/,
      /no tool nowhere/,
      /on fire/,
      /do not fit/,
    ].entries())
      expect(results[at]?.content).toMatch(text);
    expect(only(events, "ToolCallStarted").map((call) => [call.name, call.arguments])).toEqual([
      ["double", '{"n":1}'],
      ["double", '{"n":2}'],
      ["nowhere", "{}"],
      ["broken", "{}"],
      ["double", '{"n":"two"}'],
    ]);
    expect(ended.filter(({ error }) => error === null).map(({ output }) => output)).toEqual([
      '{"doubled":2}',
      '{"doubled":4}',
    ]);
    for (const { error, output } of ended.filter(({ error }) => error !== null)) {
      expect(output).toBeNull();
      expect(error).not.toMatch(/^ +at /m);
    }
  });

  test("a tool that hangs is told to stop with its step, and one that does not listen is left behind", async () => {
    interrupted = undefined;
    const { result, ended } = await callTools(
      provider,
      [
        { id: "a", name: "hanging", args: args({}) },
        { id: "b", name: "deaf", args: args({}) },
        { id: "c", name: "now", args: args({}) },
      ],
      { stepTimeoutMs: 300 },
    );
    expect(result).toMatchObject({ status: "failed", error: { code: "ATLAS_DEADLINE_PASSED" } });
    expect(interrupted).toMatchObject({ code: "ATLAS_DEADLINE_PASSED" });
    expect(ended.map(({ name, output }) => [name, output]).sort()).toEqual([
      ["deaf", null],
      ["hanging", null],
      ["now", "noon"],
    ]);
    for (const { error } of ended.filter(({ name }) => name !== "now"))
      expect(error).toMatch(/ATLAS_DEADLINE_PASSED.*step 1 took longer than 300 ms/);
  });

  test("a run that is cancelled within a tool ends at once, with a pair for every call", async () => {
    const controller = new AbortController();
    const [{ result, ended }] = await Promise.all([
      callTools(
        provider,
        [
          { id: "a", name: "deaf", args: args({}) },
          { id: "b", name: "hanging", args: args({}) },
        ],
        { signal: controller.signal },
      ),
      sleep(300).then(() => controller.abort()),
    ]);
    expect(result.status).toBe("cancelled");
    expect(ended).toHaveLength(2);
    for (const { error } of ended) expect(error).toMatch(/ATLAS_CANCELLED/);
  });
});

describe.each(
  PROVIDERS.filter(({ name }) => name !== "anthropic").map((provider) => [provider.name, provider] as const),
)("%s", (_, provider) => {
  test.each([
    ["cut off", '{"n": 1', /not JSON/],
    ["no object", "[1]", /not a JSON object/],
    ["an object and not a text", { n: 4 }, /^\{"doubled":8\}$/],
  ])("arguments that are %s reach the tool, or are told to the model", async (_name, given, said) => {
    const { result, requests, ended } = await callTools(provider, [{ id: "a", name: "double", args: given }]);
    expect(result.status).toBe("succeeded");
    expect(resultsIn(requests[1]!)[0]?.content).toMatch(said);
    expect(ended).toHaveLength(1);
  });

  test.each([
    ["missing", undefined],
    ["null", null],
    ["empty", ""],
  ])("arguments that are %s are none", async (_name, given) => {
    const { requests, ended } = await callTools(provider, [{ id: "a", name: "now", args: given }]);
    expect(resultsIn(requests[1]!)).toEqual([{ id: "a", content: "noon" }]);
    expect(ended).toMatchObject([{ output: "noon", error: null }]);
  });

  test.each([
    ["missing", undefined],
    ["null", null],
    ["empty", ""],
  ])("calls whose ids are %s get ids of their own, which their results name", async (_name, id) => {
    const calls = [1, 2].map((n) => ({ id, name: "double", args: JSON.stringify({ n }) }));
    const { requests } = await callTools(provider, calls);
    const messages = requests[1]!.body["messages"] as { tool_calls?: { id: string }[] }[];
    const ids = messages[1]!.tool_calls!.map((call) => call.id);
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((own) => own.length > 0)).toBe(true);
    expect(resultsIn(requests[1]!)).toEqual([
      { id: ids[0], content: '{"doubled":2}' },
      { id: ids[1], content: '{"doubled":4}' },
    ]);
  });

  test("a call without the name of a tool is a failed model call", async () => {
    const { result, ended } = await callTools(provider, [{ id: "a", name: undefined, args: "{}" }]);
    expect(result.error?.message).toMatch(/called a tool without its name/);
    expect(ended).toEqual([]);
  });
});
