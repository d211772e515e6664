import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { configuredAgent } from "../../app/configured-agent.ts";
import { configuredModel } from "../../app/configured-model.ts";
import { loadConfig } from "../../configs/load-config.ts";
import type { AgentContext, AgentInput } from "../../producers/agents/agent.ts";
import { completion, json, startModelServer } from "../models/model-server.ts";

afterEach(() => vi.unstubAllEnvs());

const ASKED = { messages: [{ role: "user" as const, content: "hello" }] };
const INPUT: AgentInput = {
  task: "hello",
  guidance: [],
  signal: new AbortController().signal,
  step: { id: 1, description: "d", attempt: 1 },
};

/** A context that asks the model itself and records nothing. */
const CTX: AgentContext = {
  tool: async (_name, args, run) => run(args),
  model: (client, request) => client.complete(request),
  message: () => undefined,
};

test("each key of a model has its effect on the request", async () => {
  vi.stubEnv("MY_KEY", "sk-mine");
  await using server = await startModelServer((_, response) => json(response, completion("hi")));
  const { teacher } = loadConfig(
    {
      teacher: {
        model: "m",
        baseUrl: server.url,
        apiKeyEnv: "MY_KEY",
        temperature: 0.3,
        topP: 0.8,
        maxOutputTokens: 33,
        extra: { seed: 7, reasoning_effort: "low" },
      },
    },
    {},
  );
  await configuredModel(teacher!).complete(ASKED);
  const [{ body, headers }] = server.requests as [(typeof server.requests)[0]];
  expect(body).toMatchObject({
    model: "m",
    temperature: 0.3,
    top_p: 0.8,
    max_tokens: 33,
    seed: 7,
    reasoning_effort: "low",
  });
  expect(headers.authorization).toBe("Bearer sk-mine");
});

test("retries and timeout_seconds", async () => {
  await using server = await startModelServer((_, response) =>
    json(response, {}, 500, { "retry-after": "0" }),
  );
  const model = (retries: number) =>
    configuredModel(loadConfig({ judge: { model: "m", baseUrl: server.url, retries } }, {}).judge!);
  await expect(model(0).complete(ASKED)).rejects.toMatchObject({ code: "ATLAS_MODEL_UNAVAILABLE" });
  expect(server.requests).toHaveLength(1);
  await expect(model(1).complete(ASKED)).rejects.toThrow();
  expect(server.requests).toHaveLength(3);

  await using silent = await startModelServer(() => {});
  const { judge } = loadConfig(
    { judge: { model: "m", baseUrl: silent.url, retries: 0, timeoutSeconds: 0.05 } },
    {},
  );
  await expect(configuredModel(judge!).complete(ASKED)).rejects.toMatchObject({
    code: "ATLAS_MODEL_UNAVAILABLE",
  });
});

test("stream asks for a stream", async () => {
  await using server = await startModelServer((_, response) => json(response, {}, 400));
  const { judge } = loadConfig({ judge: { model: "m", baseUrl: server.url, stream: true } }, {});
  await expect(configuredModel(judge!).complete(ASKED)).rejects.toThrow();
  expect(server.requests[0]?.body.stream).toBe(true);
});

test("offline mode puts a simulated model in place of each configured one", () => {
  vi.stubEnv("ATLAS_OFFLINE_MODE", "1");
  const { judge } = loadConfig({ judge: { provider: "anthropic", model: "m" } }, {});
  expect(configuredModel(judge!).simulated).toBe(true);
});

test.each(["openai", "gemini"] as const)("agent.type %s: name, system prompt and sampling", async (type) => {
  vi.stubEnv("MY_KEY", "sk-mine");
  await using server = await startModelServer((_, response) => json(response, completion("hi")));
  const { agent } = loadConfig(
    {
      agent: {
        type,
        name: "n",
        systemPrompt: "Be brief.",
        model: "m",
        baseUrl: server.url,
        apiKeyEnv: "MY_KEY",
        topP: 0.5,
      },
    },
    {},
  );
  const working = await configuredAgent(agent!);
  expect(working).toMatchObject({ name: "n", kind: type, systemPrompt: "Be brief." });
  expect(await working.invoke(INPUT, CTX)).toBe("hi");
  expect(server.requests[0]?.body).toMatchObject({
    top_p: 0.5,
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "hello" },
    ],
  });
});

test("agent.type anthropic", async () => {
  vi.stubEnv("MY_KEY", "sk-mine");
  const message = {
    id: "msg",
    type: "message",
    role: "assistant",
    model: "claude",
    content: [{ type: "text", text: "hi" }],
    stop_reason: "end_turn",
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  await using server = await startModelServer((_, response) => json(response, message));
  const baseUrl = new URL(server.url).origin;
  const { agent } = loadConfig(
    { agent: { type: "anthropic", model: "claude", baseUrl, apiKeyEnv: "MY_KEY" } },
    {},
  );
  expect(await (await configuredAgent(agent!)).invoke(INPUT, CTX)).toBe("hi");
  expect(JSON.stringify(server.requests[0]?.headers)).toContain("sk-mine");
});

test("agent.type http: every key", async () => {
  vi.stubEnv("MY_KEY", "sk-mine");
  await using server = await startModelServer((_, response) => json(response, { output: [{ text: "hi" }] }));
  const { agent } = loadConfig(
    {
      agent: {
        type: "http",
        name: "h",
        url: `${server.url}/answer`,
        method: "PUT",
        template: { my_Input: "{{prompt}}" },
        resultPath: "output[0].text",
        headers: { "X-My-Team": "a" },
        apiKeyEnv: "MY_KEY",
        systemPrompt: "s",
        retries: 0,
        timeoutSeconds: 5,
      },
    },
    {},
  );
  const working = await configuredAgent(agent!);
  expect(working).toMatchObject({ name: "h", kind: "http", systemPrompt: "s" });
  expect(await working.invoke(INPUT, CTX)).toBe("hi");
  const [request] = server.requests;
  expect(request?.path).toBe("/v1/answer");
  expect(request?.body).toEqual({ my_Input: "hello" });
  expect(request?.headers).toMatchObject({ "x-my-team": "a", authorization: "Bearer sk-mine" });
});

test("agent.type langgraph and function: what a module exports", async () => {
  const folder = mkdtempSync(join(tmpdir(), "atlas-agents-"));
  writeFileSync(
    join(folder, "agents.mjs"),
    `export const graph = { async invoke({ messages }, { recursionLimit }) {
       const said = messages.map(({ content }) => content).join("/");
       return { messages: [...messages, { role: "assistant", content: said + recursionLimit }] };
     } };
     export const object = { generate: (prompt) => "generated " + prompt };
     export const number = 5;`,
  );
  writeFileSync(
    join(folder, "atlas.yaml"),
    "agent: {type: langgraph, name: g, import_path: ./agents.mjs, attribute: graph, system_prompt: s, options: {recursionLimit: 9}}",
  );
  const graph = await configuredAgent(loadConfig(join(folder, "atlas.yaml"), {}).agent!);
  expect(graph).toMatchObject({ name: "g", kind: "langgraph", systemPrompt: "s" });
  expect(await graph.invoke(INPUT, CTX)).toEqual("s/hello9");

  const named = (type: "function" | "langgraph", attribute: string) =>
    configuredAgent(
      loadConfig({ agent: { type, importPath: join(folder, "agents.mjs"), attribute } }, {}).agent!,
    );
  expect(await (await named("function", "object")).invoke(INPUT, CTX)).toBe("generated hello");
  await expect(named("function", "number")).rejects.toThrow("neither a function nor an agent");
  await expect(named("langgraph", "number")).rejects.toThrow("not a compiled graph");
  await expect(named("function", "nope")).rejects.toMatchObject({
    hint: expect.stringContaining("number"),
  });
});
