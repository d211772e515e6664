import { beforeEach, describe, expect, test, vi } from "vitest";
import type { ModelReply } from "../../models/model-client.ts";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import { json, startModelServer } from "../models/model-server.ts";
import { only } from "../recording/memory-log.ts";
import { hostileAtlas } from "./hostile-run.ts";
import { KEYS, PROVIDERS } from "./providers.ts";

const run = hostileAtlas();
beforeEach(() => {
  for (const name of KEYS) vi.stubEnv(name, "key-0123456789");
});

/** Runs a session whose student's server changes its answers in this way. */
async function withAnswer(name: string, odd: (answer: Record<string, unknown>) => object) {
  const provider = PROVIDERS.find((each) => each.name === name)!;
  await using server = await startModelServer((_, response) =>
    json(response, odd(provider.answer("hello") as Record<string, unknown>)),
  );
  const agent = provider.agent({ model: "m", baseUrl: server.url, maxRetries: 0 });
  const [{ result, events }] = (await run({ agent })) as [Awaited<ReturnType<typeof run>>[number]];
  const [call] = only(events, "ModelCallEnded").filter(({ role }) => role === "student");
  return { result, call: call! };
}

describe("an odd answer costs what is odd about it, and no event", () => {
  test.each<[string, object, object | null]>([
    [
      "texts",
      { prompt_tokens: "5", completion_tokens: "2" },
      { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
    ],
    [
      "too large, negative and broken",
      { prompt_tokens: 1e30, completion_tokens: -3, total_tokens: 1.5 },
      null,
    ],
    ["in part", { prompt_tokens: 5, completion_tokens: null }, null],
    [
      "in part, and in all",
      { prompt_tokens: 5, total_tokens: 7 },
      { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
    ],
    ["0", { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, cost: 0 }, null],
    ["0 for what was answered", { prompt_tokens: 5, completion_tokens: 0, total_tokens: 5 }, null],
    ["no object", [] as object, null],
  ])("OpenAI's tokens that are %s", async (_, usage, expected) => {
    const { result, call } = await withAnswer("openai", (answer) => ({ ...answer, usage }));
    expect(result).toMatchObject({ status: "succeeded", finalAnswer: "hello" });
    if (expected === null) expect(call.usage).toBeNull();
    else expect(call.usage).toMatchObject(expected);
  });

  test.each<[string, object | undefined, object | null]>([
    ["missing", undefined, null],
    ["told in part", { input_tokens: 1 }, null],
    ["0", { input_tokens: 0, output_tokens: 0 }, null],
    [
      "texts",
      { input_tokens: "1", output_tokens: "2", cache_read_input_tokens: "3" },
      { prompt_tokens: 4, total_tokens: 6, cached_tokens: 3 },
    ],
  ])("Anthropic's tokens that are %s", async (_, usage, expected) => {
    const { result, call } = await withAnswer("anthropic", (answer) => ({ ...answer, usage }));
    expect(result).toMatchObject({ status: "succeeded", finalAnswer: "hello" });
    if (expected === null) expect(call.usage).toBeNull();
    else expect(call.usage).toMatchObject(expected);
  });

  test.each(["openai", "anthropic"])(
    "a version, a reason and a text that are no texts (%s)",
    async (name) => {
      const { result, call } = await withAnswer(name, ({ choices, ...answer }) => ({
        ...answer,
        model: 5,
        stop_reason: { a: 1 },
        ...(choices === undefined
          ? {}
          : { choices: [{ ...(choices as object[])[0], finish_reason: 7, logprobs: "none" }] }),
      }));
      expect(result).toMatchObject({ status: "succeeded", finalAnswer: "hello" });
      expect(call).toMatchObject({ model: "m", finish_reason: null, error: null });
    },
  );

  test.each([["text"], [{}], [null]])("tool calls that are %j are none", async (tool_calls) => {
    const message = { role: "assistant", content: "hello", tool_calls };
    const { result, call } = await withAnswer("openai", (answer) => ({ ...answer, choices: [{ message }] }));
    expect(result.finalAnswer).toBe("hello");
    expect(call.error).toBeNull();
  });

  test("texts that no database takes are kept as well as they can be", async () => {
    const content = "a\u0000b \ud800 c";
    const message = { role: "assistant", content, reasoning: content };
    const { result, call } = await withAnswer("openai", (answer) => ({ ...answer, choices: [{ message }] }));
    expect(result.status).toBe("succeeded");
    expect(call.content).toMatch(/^a.b . c$/su);
  });

  test("an error with the status 200 says what the server said", async () => {
    const { result } = await withAnswer("openai", () => ({
      error: { message: "no credit for key-0123456789" },
    }));
    expect(result.error?.message).toBe("openai m answered without a choice: no credit for [key]");
  });
});

test.each<[string, unknown, object]>([
  ["nothing", undefined, { status: "failed", error: { message: "own x answered with nothing" } }],
  ["a text alone", { content: "hello" }, { status: "succeeded", finalAnswer: "hello" }],
  [
    "parts of the wrong form",
    {
      content: "hello",
      toolCalls: null,
      message: null,
      model: 7,
      usage: { promptTokens: Number.NaN },
      cost: -1,
      reasoning: 3,
    },
    { status: "succeeded", finalAnswer: "hello" },
  ],
])("a client of one's own that replies with %s loses no event", async (_, reply, expected) => {
  const client = { provider: "own", model: "x", simulated: false, complete: async () => reply as ModelReply };
  const [told] = await run({ agent: modelAgent(client) });
  expect(told!.result).toMatchObject(expected);
  const [call] = only(told!.events, "ModelCallEnded");
  expect(call).toMatchObject({ model: "x", usage: null, cost: null, reasoning: null });
});
