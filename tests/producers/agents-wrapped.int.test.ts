import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { wrapAnthropic } from "../../producers/agents/wrap-anthropic.ts";
import { wrapOpenAI } from "../../producers/agents/wrap-openai.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { completion, json, startModelServer } from "../models/model-server.ts";
import { ANTHROPIC_EVENTS, OPENAI_CHUNKS, sse } from "../models/model-streams.ts";
import { only } from "../recording/memory-log.ts";
import { run } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const both = { teacher: model, judge: model };
const user = { role: "user" as const, content: "hello" };
const students = (events: readonly AtlasEvent[]) =>
  only(events, "ModelCallEnded").filter(({ role }) => role === "student");
const openaiAt = (baseURL: string) => new OpenAI({ apiKey: "k", baseURL, maxRetries: 0 });

test("calls of a wrapped OpenAI client are recorded, and answers and errors are the SDK's own", async () => {
  await using server = await startModelServer(({ body }, response) =>
    body["model"] === "bad"
      ? json(response, { error: { message: "key sk-proj-abcdefghijklmnop refused" } }, 401)
      : json(response, completion("hi")),
  );
  const agent = functionAgent(async (_task, _input, ctx) => {
    const client = wrapOpenAI(openaiAt(server.url), ctx);
    const bad = await client.chat.completions
      .create({ model: "bad", messages: [user] })
      .catch((error) => error);
    expect(bad).toBeInstanceOf(OpenAI.AuthenticationError);
    const answer = await client.chat.completions.create({ model: "m", messages: [user], temperature: 0.5 });
    return answer.choices[0]?.message.content ?? "";
  });
  const { result, events } = await run({ agent, ...both });
  expect(result).toMatchObject({ status: "succeeded", finalAnswer: "hi" });
  expect(only(events, "ModelCallStarted")[1]).toMatchObject({
    provider: "openai",
    model: "m",
    messages: JSON.stringify([user]),
    parameters: expect.stringContaining('"temperature":0.5'),
  });
  const [bad, good] = students(events);
  expect(bad?.error).toMatch(/401.*\[key\]/);
  expect(good).toMatchObject({ content: "hi", model: "served-model-2", usage: { total_tokens: 18 } });
});

test("a stream passes through piece by piece, and the joined answer is recorded", async () => {
  await using server = await startModelServer((_, response) => sse(response, OPENAI_CHUNKS));
  const agent = functionAgent(async (_task, _input, ctx) => {
    const client = wrapOpenAI(openaiAt(server.url), ctx);
    const stream = await client.chat.completions.create({ model: "m", messages: [user], stream: true });
    const chunks: unknown[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks).toEqual(OPENAI_CHUNKS);
    const broken = await client.chat.completions.create({ model: "m", messages: [user], stream: true });
    for await (const chunk of broken) if (chunk.choices[0]?.delta.content === "Hel") break;
    return "done";
  });
  const { result, events } = await run({ agent, ...both });
  expect(result.status).toBe("succeeded");
  const [whole, part] = students(events);
  expect(whole).toMatchObject({ content: "Hello", reasoning: "let me think", finish_reason: "tool_calls" });
  expect(JSON.parse(whole?.tool_calls ?? "")).toHaveLength(2);
  expect(part).toMatchObject({ content: "Hel", finish_reason: null, error: null });
});

test("a wrapped Anthropic client is recorded, whole and streamed", async () => {
  await using server = await startModelServer(({ body }, response) =>
    body["stream"] === true
      ? sse(response, ANTHROPIC_EVENTS)
      : json(response, {
          id: "msg",
          type: "message",
          role: "assistant",
          model: "claude-y",
          content: [{ type: "text", text: "hi" }],
          stop_reason: "end_turn",
          usage: { input_tokens: 2, output_tokens: 1 },
        }),
  );
  const agent = functionAgent(async (_task, _input, ctx) => {
    const client = wrapAnthropic(new Anthropic({ apiKey: "k", baseURL: server.url, maxRetries: 0 }), ctx);
    const ask = { model: "claude-x", max_tokens: 9, system: "be kind", messages: [user] };
    const message = await client.messages.create(ask);
    const seen: string[] = [];
    for await (const { type } of await client.messages.create({ ...ask, stream: true })) seen.push(type);
    expect(seen).toEqual(ANTHROPIC_EVENTS.map(({ type }) => type));
    return message.content[0]?.type === "text" ? message.content[0].text : "";
  });
  const { result, events } = await run({ agent, ...both });
  expect(result.finalAnswer).toBe("hi");
  expect(only(events, "ModelCallStarted")[0]?.messages).toBe(
    JSON.stringify([{ role: "system", content: "be kind" }, user]),
  );
  expect(students(events)).toMatchObject([
    { provider: "anthropic", content: "hi", model: "claude-y" },
    { content: "I search.", reasoning: "hm", finish_reason: "tool_use" },
  ]);
});
