import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openaiAgent } from "../../producers/agents/openai-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { mcpTools } from "../../producers/tools/mcp-tools.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { atlas, userFolder } from "../cli/from-source.ts";
import { type Answer, completion, json, startModelServer } from "../models/model-server.ts";
import { only } from "../recording/memory-log.ts";
import { startMcpServer } from "./mcp-server.ts";
import { run } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const both = { teacher: model, judge: model };
beforeEach(() => vi.stubEnv("OPENAI_API_KEY", "key-0123456789"));
afterEach(() => vi.unstubAllEnvs());

const SERVER = join(import.meta.dirname, "mcp-server.ts");

async function connected(transport: Transport): Promise<AsyncDisposable & { client: Client }> {
  const client = new Client({ name: "tests", version: "1.0.0" });
  await client.connect(transport);
  return { client, [Symbol.asyncDispose]: () => client.close() };
}

const overPipes = () => connected(new StdioClientTransport({ command: process.execPath, args: [SERVER] }));

/** Calls tools of these names at first, and answers when it has their results. */
const calling =
  (calls: Record<string, object>): Answer =>
  ({ body }, response) => {
    const tool_calls = Object.entries(calls).map(([name, args]) => ({
      ...{ id: `call_${name}`, type: "function" },
      function: { name, arguments: JSON.stringify(args) },
    }));
    const isOver = (body["messages"] as { role: string }[]).some(({ role }) => role === "tool");
    json(response, isOver ? completion("done") : completion(null, { tool_calls }));
  };

const ALL = { find: { q: "x" }, count: {}, draw: {}, fail: {}, throw: {} };

test.each(["pipes", "HTTP"])(
  "the tools of a real server over %s: listed page by page, executed by the server, told to the model",
  async (way) => {
    await using remote = await startMcpServer();
    await using session = await (way === "pipes"
      ? overPipes()
      : connected(new StreamableHTTPClientTransport(new URL(remote.url)) as Transport));
    const tools = await mcpTools(session.client);
    expect(tools.map(({ name }) => name)).toEqual([
      ...["find", "count", "draw", "fail", "throw", "hang", "cancelled", "environment"],
    ]);
    await using server = await startModelServer(calling({ ...ALL, find: { q: "x" } }));
    const agent = openaiAgent({ model: "m", baseUrl: server.url, tools });
    const { result, events } = await run({ agent, ...both });
    expect(result, String(result.error)).toMatchObject({ status: "succeeded", finalAnswer: "done" });
    const ended = new Map(only(events, "ToolCallEnded").map((call) => [call.name, call]));
    expect(ended.size).toBe(5);
    expect(ended.get("find")).toMatchObject({ output: "found x\nand more", error: null });
    expect(ended.get("count")).toMatchObject({ output: '{"hits":2}', error: null });
    expect(JSON.parse(ended.get("draw")!.output!)).toEqual([
      { type: "text", text: "a dot" },
      { type: "image", data: "iVBORw0KGgo=", mimeType: "image/png" },
    ]);
    expect(ended.get("fail")).toMatchObject({
      output: null,
      error: expect.stringContaining("no such document"),
    });
    expect(ended.get("throw")).toMatchObject({
      output: null,
      error: expect.stringContaining("disk on fire"),
    });
    const told = (server.requests[1]!.body["messages"] as { role: string; content: string }[])
      .filter(({ role }) => role === "tool")
      .map(({ content }) => content);
    expect(told[0]).toBe("found x\nand more");
    expect(told[3]).toMatch(/^Error: .*no such document/);
  },
);

test("arguments that do not fit the server's schema are told to the model, and the server is not asked", async () => {
  await using session = await overPipes();
  const tools = await mcpTools(session.client);
  await using server = await startModelServer(calling({ find: { q: 7 } }));
  const { events } = await run({ agent: openaiAgent({ model: "m", baseUrl: server.url, tools }), ...both });
  expect(only(events, "ToolCallEnded")).toMatchObject([{ error: expect.stringMatching(/do not fit.*q/) }]);
});

test("a tool that hangs: told to the model when it takes too long, cancelled at the server when the run is", async () => {
  await using session = await overPipes();
  await using server = await startModelServer(calling({ hang: {} }));
  const limited = await mcpTools(session.client, { timeoutMs: 100 });
  const late = await run({
    agent: openaiAgent({ model: "m", baseUrl: server.url, tools: limited }),
    ...both,
  });
  expect(late.result).toMatchObject({ status: "succeeded", finalAnswer: "done" });
  expect(only(late.events, "ToolCallEnded")).toMatchObject([
    { name: "hang", output: null, error: expect.stringMatching(/timed out/i) },
  ]);

  const controller = new AbortController();
  const tools = await mcpTools(session.client);
  setTimeout(() => controller.abort(), 300);
  const { result, events } = await run({
    agent: openaiAgent({ model: "m", baseUrl: server.url, tools }),
    ...both,
    signal: controller.signal,
  });
  expect(result.status).toBe("cancelled");
  expect(only(events, "ToolCallEnded")).toMatchObject([
    { name: "hang", output: null, error: expect.stringContaining("ATLAS_CANCELLED") },
  ]);
  const counted = await session.client.callTool({ name: "cancelled" });
  expect(counted["content"]).toEqual([{ type: "text", text: "2" }]);
});

test("an agent that a YAML file names starts its server for each attempt, and leaves nothing running", async () => {
  const folder = userFolder();
  await using server = await startModelServer(calling({ environment: {} }));
  const local = (path: string) => JSON.stringify(pathToFileURL(resolve(import.meta.dirname, path)).href);
  const sdk = (path: string) =>
    JSON.stringify(import.meta.resolve(`@modelcontextprotocol/sdk/client/${path}`));
  writeFileSync(
    join(folder, "agent.mjs"),
    `import { Client } from ${sdk("index.js")};
import { StdioClientTransport } from ${sdk("stdio.js")};
import { defineAgent } from ${local("../../producers/agents/agent.ts")};
import { openaiAgent } from ${local("../../producers/agents/openai-agent.ts")};
import { mcpTools } from ${local("../../producers/tools/mcp-tools.ts")};
export default defineAgent({
  name: "with-documents",
  async invoke(input, ctx) {
    const client = new Client({ name: "with-documents", version: "1.0.0" });
    const command = { command: process.execPath, args: [${JSON.stringify(SERVER)}], env: { MCP_TESTED: "handed on" } };
    await client.connect(new StdioClientTransport(command));
    try {
      const tools = await mcpTools(client);
      return await openaiAgent({ model: "m", baseUrl: ${JSON.stringify(server.url)}, tools }).invoke(input, ctx);
    } finally {
      await client.close();
    }
  },
});
`,
  );
  writeFileSync(
    join(folder, "atlas.yaml"),
    `agent: {type: function, import_path: ./agent.mjs}
teacher: {provider: simulated, model: s}
judge: {provider: simulated, model: s}
`,
  );
  const args = ["run", "--task", "t", "--config", "atlas.yaml", "--json"];
  const { code, stdout, stderr } = await atlas(folder, args);
  expect(code, stderr).toBe(0);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as AtlasEvent);
  expect(only(events, "ToolCallEnded")).toMatchObject([
    { name: "environment", output: "handed on", error: null },
  ]);
});

test("a server that is gone is a failed call, which the model is told", async () => {
  const session = await overPipes();
  const tools = await mcpTools(session.client);
  await session[Symbol.asyncDispose]();
  await using server = await startModelServer(calling({ find: { q: "x" } }));
  const { result, events } = await run({
    agent: openaiAgent({ model: "m", baseUrl: server.url, tools }),
    ...both,
  });
  expect(result.finalAnswer).toBe("done");
  expect(only(events, "ToolCallEnded")).toMatchObject([
    { output: null, error: expect.stringMatching(/connect/i) },
  ]);
});
