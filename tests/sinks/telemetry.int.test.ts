import { execFile } from "node:child_process";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openConfigured } from "../../app/open-atlas.ts";
import { defineProcessor } from "../../app/processors.ts";
import { loadConfig } from "../../configs/load-config.ts";
import { openaiModel } from "../../models/openai.ts";
import { defineAgent } from "../../producers/agents/agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { createMask } from "../../recording/masking/create-mask.ts";
import { REDACTED } from "../../recording/masking/marker.ts";
import type { AtlasEvent, EventOf, EventType } from "../../schemas/generated/events.ts";
import { folderForTest, opened } from "../app/opened.ts";
import { closedPort, completion, json, startModelServer } from "../models/model-server.ts";
import { SCORE, VALID } from "../producers/sessions.ts";
import { type ReceivedSpan, startReceiver } from "./otlp-receiver.ts";

const SECRET = "the secret word is xyzzy";
const model = simulatedModel({ latencyMs: 0 });

const throwing = defineProcessor({
  name: "throwing",
  version: 1,
  facts: ["SessionEnded"],
  emits: [],
  key: ({ meta }) => meta.session_id ?? "",
  reduce: () => {
    throw new RangeError("it always does");
  },
});

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith("OTEL_")) vi.stubEnv(name, "");
});
afterEach(() => vi.unstubAllEnvs());

/** An agent that uses a tool, in it another model, and fails with a second tool. */
const agent = defineAgent({
  name: "mine",
  async invoke({ task }, ctx) {
    const page = await ctx.tool("search", { task }, async () => {
      await ctx.model(model, { messages: [{ role: "user", content: task }], temperature: 0.5 });
      return SECRET;
    });
    const broken = (): never => {
      throw new Error(SECRET);
    };
    await ctx.tool("broken", {}, broken).catch(() => {});
    return page;
  },
});

/** Models of one server: a student's answer has reasoning, a cached prompt and a cost. */
async function startModels() {
  const usage = {
    prompt_tokens: 30,
    completion_tokens: 9,
    total_tokens: 39,
    cost: 0.25,
    prompt_tokens_details: { cached_tokens: 20 },
    completion_tokens_details: { reasoning_tokens: 4 },
  };
  const server = await startModelServer(({ body }, response) =>
    json(response, completion(body["model"] === "judge" ? SCORE : VALID, {}, usage)),
  );
  const client = (name: string) => openaiModel({ model: name, baseUrl: server.url });
  return { server, teacher: client("teacher"), judge: client("judge") };
}

const only = <T extends EventType>(events: readonly AtlasEvent[], type: T): EventOf<T>[] =>
  events.filter((event): event is EventOf<T> => event.type === type);

const spanId = (id: string): string => id.replaceAll("-", "").slice(-16);

function tree(spans: readonly ReceivedSpan[], parent = ""): unknown[] {
  return spans
    .filter(({ parentId }) => parentId === parent)
    .sort((a, b) => Number(a.from - b.from))
    .map((span) => [span.name, ...tree(spans, span.spanId)]);
}

test("a session becomes a tree of spans by the GenAI conventions, with the events' ids and times", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url);
  vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue");
  vi.stubEnv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test");
  const { server, teacher, judge } = await startModels();
  await using _server = server;
  const atlas = await opened(folderForTest());
  const events: AtlasEvent[] = [];
  const onEvent = (event: AtlasEvent): void => void events.push(event);
  const result = await atlas.run({ task: SECRET, agent, teacher, judge, onEvent });
  expect(result.status).toBe("succeeded");
  await atlas.close();

  expect(receiver.requests[0]).toMatchObject({
    path: "/v1/traces",
    headers: { "content-type": "application/x-protobuf", "x-team": "blue" },
  });
  const { spans } = receiver;
  expect(tree(spans)).toEqual([
    [
      "invoke_agent mine",
      [
        "step 1",
        ["attempt 1", ["execute_tool search", ["chat simulated"]], ["execute_tool broken"]],
        ["chat teacher"],
      ],
      ["chat judge"],
    ],
  ]);
  const byName = new Map(spans.map((span) => [span.name, span]));
  for (const span of spans) expect(span.traceId).toBe(events[0]?.meta.trace_id);
  expect(byName.get("invoke_agent mine")).toMatchObject({
    kind: 1,
    status: 0,
    from: BigInt(only(events, "SessionStarted")[0]!.meta.occurred_at) * 1000n,
    until: BigInt(only(events, "SessionEnded")[0]!.meta.occurred_at) * 1000n,
    attributes: {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": "mine",
      "gen_ai.conversation.id": result.sessionId,
      "atlas.session.status": "succeeded",
      "atlas.lane": "paired",
    },
    events: [
      {
        name: "gen_ai.evaluation.result",
        attributes: { "gen_ai.evaluation.name": "session_reward", "gen_ai.evaluation.score.value": 0.8 },
      },
    ],
    resource: { "service.name": "atlas-sdk", "deployment.environment.name": "test" },
  });
  const started = only(events, "ModelCallStarted").find(({ role }) => role === "teacher")!;
  const ended = only(events, "ModelCallEnded").find(({ role }) => role === "teacher")!;
  const chat = byName.get("chat teacher")!;
  expect(chat).toMatchObject({
    kind: 3,
    spanId: spanId(started.call_id),
    from: BigInt(started.meta.occurred_at) * 1000n,
    until: BigInt(ended.meta.occurred_at) * 1000n,
  });
  expect(chat.attributes).toEqual({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "teacher",
    "gen_ai.response.model": "served-model-2",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.conversation.id": result.sessionId,
    "gen_ai.output.type": "json",
    "gen_ai.usage.input_tokens": 30,
    "gen_ai.usage.output_tokens": 9,
    "gen_ai.usage.cache_read.input_tokens": 20,
    "gen_ai.usage.reasoning.output_tokens": 4,
    "atlas.role": "teacher",
    "atlas.prompt_version": "validation.v1",
    "atlas.step.id": 1,
    "atlas.attempt": 1,
    "atlas.cost_usd": 0.25,
    "atlas.tries": 1,
  });
  expect(byName.get("chat simulated")?.attributes["gen_ai.request.temperature"]).toBe(0.5);
  expect(byName.get("execute_tool broken")).toMatchObject({
    kind: 1,
    status: 2,
    message: "",
    spanId: spanId(only(events, "ToolCallStarted")[1]!.call_id),
    attributes: {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "broken",
      "error.type": "ATLAS_UNEXPECTED",
    },
  });
  for (const { body } of receiver.requests) expect(body.includes("xyzzy")).toBe(false);
});

test("prompts and answers travel where that is asked for, and only as masking left them", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", `${receiver.url}/own/path`);
  vi.stubEnv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
  vi.stubEnv("OTEL_SERVICE_NAME", "my-service");
  vi.stubEnv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true");
  const mask = createMask({ level: "full", detectors: [], patterns: ["xyzzy"] });
  const atlas = await opened(folderForTest(), {}, { mask });
  const long = "é".repeat(300_000);
  const big = defineAgent({
    name: "big",
    async invoke(input, ctx) {
      await ctx.model(model, { messages: [{ role: "user", content: `${SECRET} ${long}` }] });
      return agent.invoke(input, ctx);
    },
  });
  await atlas.run({ task: SECRET, agent: big, teacher: model, judge: model });
  await atlas.close();
  expect(receiver.requests[0]?.path).toBe("/own/path");
  const { spans, requests } = receiver;
  expect(spans[0]?.resource["service.name"]).toBe("my-service");
  const [first] = spans.filter(({ name }) => name === "chat simulated");
  const asked = JSON.parse(String(first?.attributes["gen_ai.input.messages"]));
  expect(asked).toMatchObject([{ role: "user", parts: [{ type: "text" }] }]);
  expect(asked[0].parts[0].content).toBe(`the secret word is ${REDACTED} ${long}`);
  expect(JSON.parse(String(first?.attributes["gen_ai.output.messages"]))).toMatchObject([
    { role: "assistant", finish_reason: "stop", parts: [{ type: "text" }] },
  ]);
  const broken = spans.find(({ name }) => name === "execute_tool broken");
  expect(broken?.message).toMatch(/the secret word is/);
  for (const { body } of requests) expect(body.includes("xyzzy")).toBe(false);
});

test("a session that is judged later is a whole tree; so is one of which masking lost events", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url);
  const { server, teacher } = await startModels();
  await using _server = server;
  const smallModel = { provider: "simulated", model: "s" } as const;
  const atlas = await opened(
    folderForTest(),
    { judges: { mode: "deferred", smallModel } },
    { consumers: false },
  );
  const later = await atlas.run({ task: "hello", agent, teacher });
  expect(later.judgedLater).toBe(true);
  await atlas.close();
  const whole = [
    "invoke_agent mine",
    [
      "step 1",
      ["attempt 1", ["execute_tool search", ["chat simulated"]], ["execute_tool broken"]],
      ["chat teacher"],
    ],
  ];
  expect(tree(receiver.spans)).toEqual([whole]);
  const root = receiver.spans.find(({ parentId }) => parentId === "");
  expect(root?.attributes["atlas.session.status"]).toBe("succeeded");

  receiver.spans.splice(0);
  const losing = await opened(
    folderForTest(),
    {},
    {
      mask: (event) => {
        if (["SessionEnded", "SessionJudged", "StepEnded"].includes(event.type)) throw new Error("cannot");
        return event;
      },
    },
  );
  const lost = await losing.run({ task: "hello", agent, teacher, judge: model });
  await expect(lost.durable).rejects.toThrow();
  await losing.close();
  expect(tree(receiver.spans)).toEqual([[...whole, ["chat simulated"]]]);
});

test.each(["gone", "silent"])(
  "a collector that is %s neither slows nor fails a run, and is told of once",
  async (kind) => {
    await using receiver = await startReceiver({ silent: true });
    const url = kind === "silent" ? receiver.url : `http://127.0.0.1:${await closedPort()}`;
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", listen);
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", url);
    const atlas = await opened(folderForTest());
    for (let n = 0; n < 5; n++) {
      const { status } = await atlas.run({ task: "hello", agent, teacher: model, judge: model });
      expect(status).toBe("succeeded");
    }
    await atlas.close();
    // Warnings are told in the next turn.
    await setImmediate();
    process.off("warning", listen);
    expect(warnings.filter((text) => text.includes("spans could not be sent"))).toHaveLength(1);
  },
);

const LOADED = `
  import { registerHooks } from "node:module";
  const loaded = [];
  registerHooks({ resolve(name, context, next) { loaded.push(name); return next(name, context); } });
  const { openTelemetry } = await import("./sinks/telemetry/telemetry.ts");
  await import("./app/main.ts");
  const telemetry = await openTelemetry(process.env);
  await telemetry?.close();
  console.log(JSON.stringify([telemetry !== undefined, loaded.some((name) => /opentelemetry/.test(name))]));
`;

test.each([
  [{}, [false, false]],
  [{ OTEL_SERVICE_NAME: "x" }, [false, false]],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_SDK_DISABLED: "true" }, [false, false]],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_TRACES_EXPORTER: "none" }, [false, false]],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    [false, false],
  ],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" }, [true, true]],
])("with %j, telemetry is open and OpenTelemetry loaded: %j", async (env, expected) => {
  const { PATH = "" } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", LOADED], {
    env: { PATH, ...env },
  });
  expect(JSON.parse(stdout)).toEqual(expected);
});

test("a unit of work of a worker's consumer becomes a span, whether it commits or not", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url);
  const atlas = await openConfigured(loadConfig({ log: { kind: "embedded", path: folderForTest() } }, {}), {
    consumers: true,
    consumerSpans: true,
    processors: [throwing],
  });
  const run = await atlas.run({ task: "hello", agent, teacher: model, judge: model });
  await run.durable;
  await atlas.settled();
  await atlas.close();
  const units = receiver.spans.filter(({ name }) => name === "process atlas.sessions");
  expect(units).toContainEqual(
    expect.objectContaining({
      parentId: "",
      attributes: expect.objectContaining({
        "messaging.operation.type": "process",
        "messaging.destination.name": "atlas.sessions",
        "messaging.consumer.group.name": "session-rewards@2",
        "messaging.batch.message_count": expect.any(Number),
      }),
    }),
  );
  const rewarding = units.filter(
    ({ attributes }) => attributes["messaging.consumer.group.name"] === "session-rewards@2",
  );
  expect(rewarding.reduce((sum, { attributes }) => sum + Number(attributes["atlas.emitted"]), 0)).toBe(1);
  const failed = units.filter(
    ({ attributes }) => attributes["messaging.consumer.group.name"] === "throwing@1",
  );
  expect(failed.map(({ attributes }) => attributes["error.type"])).toContain("_OTHER");
});

test("without being asked for, no unit of work becomes a span", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url);
  const atlas = await opened(folderForTest());
  const run = await atlas.run({ task: "hello", agent, teacher: model, judge: model });
  await run.durable;
  await atlas.settled();
  await atlas.close();
  expect(receiver.spans.filter(({ name }) => name.startsWith("process "))).toEqual([]);
});
