import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { configuredModel } from "../../app/configured-model.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { anthropicModel } from "../../models/anthropic.ts";
import type { ModelClient } from "../../models/model-client.ts";
import { openaiModel } from "../../models/openai.ts";
import { eventually } from "../eventually.ts";
import { run, startRoles } from "../producers/sessions.ts";
import { only } from "../recording/memory-log.ts";
import { type Answer, closedPort, completion, json, startModelServer } from "./model-server.ts";
import { ANTHROPIC_EVENTS, OPENAI_CHUNKS, sse } from "./model-streams.ts";

const ASK = { messages: [{ role: "user" as const, content: "hello" }] };
const message = {
  id: "msg",
  type: "message",
  role: "assistant",
  model: "claude-y",
  content: [{ type: "text", text: "hi" }],
  stop_reason: "end_turn",
  usage: { input_tokens: 1, output_tokens: 1 },
};

beforeEach(() => {
  vi.stubEnv("OPENAI_API_KEY", "key-0123456789");
  vi.stubEnv("ANTHROPIC_API_KEY", "key-0123456789");
});
afterEach(() => vi.unstubAllEnvs());

/** Asks, and says how often the server was asked and what came of it. */
async function triesOf(
  client: ModelClient,
): Promise<{ tries: number; error: AtlasError | undefined; content?: string }> {
  let tries = 0;
  const onTry = (): void => void tries++;
  try {
    const { content } = await client.complete(ASK, { onTry });
    return { tries, error: undefined, content };
  } catch (error) {
    expect(error).toBeInstanceOf(AtlasError);
    return { tries, error: error as AtlasError };
  }
}

test.each([
  [408, {}, 3],
  [409, {}, 3],
  [429, {}, 3],
  [500, {}, 3],
  [529, {}, 3],
  [400, {}, 1],
  [401, {}, 1],
  [403, {}, 1],
  [404, {}, 1],
  [422, {}, 1],
  [500, { "x-should-retry": "false" }, 1],
  [400, { "x-should-retry": "true" }, 3],
])("status %i with the headers %j ends after the tries that it is worth", async (status, headers, tries) => {
  await using server = await startModelServer((_, response) =>
    json(response, { error: { message: "no" } }, status, { "retry-after-ms": "1", ...headers }),
  );
  const options = { model: "m", baseUrl: server.url };
  for (const client of [openaiModel(options), anthropicModel(options)]) {
    const before = server.requests.length;
    const outcome = await triesOf(client);
    expect(outcome.tries).toBe(tries);
    expect(server.requests.length - before).toBe(tries);
    expect(outcome.error?.retryable).toBe(tries > 1);
  }
});

test("an account without credit is not asked again", async () => {
  await using server = await startModelServer((_, response) =>
    json(response, { error: { message: "no credit", code: "insufficient_quota" } }, 429),
  );
  expect((await triesOf(openaiModel({ model: "m", baseUrl: server.url }))).tries).toBe(1);
});

test("a pause is as long as Retry-After says, in seconds or as a date", async () => {
  for (const header of [
    () => ({ "retry-after": "1" }),
    () => ({ "retry-after": new Date(Date.now() + 2000).toUTCString() }),
  ]) {
    let first = true;
    await using server = await startModelServer((_, response) => {
      if (!first) return json(response, completion("hi"));
      first = false;
      json(response, {}, 429, header());
    });
    const from = performance.now();
    expect((await triesOf(openaiModel({ model: "m", baseUrl: server.url }))).content).toBe("hi");
    expect(performance.now() - from).toBeGreaterThan(900);
  }
});

test("a body that stalls after its head is a try that took too long", async () => {
  const stall: Answer = (_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).write('{"choices": [');
  };
  await using server = await startModelServer(stall);
  const options = { model: "m", baseUrl: server.url, timeoutMs: 100, maxRetries: 1 };
  for (const client of [openaiModel(options), anthropicModel(options)]) {
    const { tries, error } = await triesOf(client);
    expect(tries).toBe(2);
    expect(error?.message).toMatch(/did not answer within 100 ms/);
  }
});

test("a connection that breaks in the middle of a body, or cannot be opened, is tried again", async () => {
  let first = true;
  await using server = await startModelServer((_, response) => {
    if (!first) return json(response, completion("hi"));
    first = false;
    response.writeHead(200, { "content-type": "application/json", "content-length": "500" });
    response.write('{"choices": [', () => response.destroy());
  });
  expect(await triesOf(openaiModel({ model: "m", baseUrl: server.url }))).toMatchObject({
    tries: 2,
    content: "hi",
  });
  const gone = await triesOf(
    openaiModel({ model: "m", baseUrl: `http://127.0.0.1:${await closedPort()}/v1`, maxRetries: 1 }),
  );
  expect(gone).toMatchObject({ tries: 2, error: { retryable: true } });
});

test("half a stream is asked for again, from its beginning", async () => {
  let asked = 0;
  await using server = await startModelServer((request, response) => {
    const all: readonly object[] = request.path.endsWith("/messages") ? ANTHROPIC_EVENTS : OPENAI_CHUNKS;
    asked += 1;
    return asked % 2 === 1
      ? sse(response, all.slice(0, 2) as typeof ANTHROPIC_EVENTS, false)
      : sse(response, all as typeof ANTHROPIC_EVENTS);
  });
  const options = { model: "m", baseUrl: server.url, stream: true };
  expect(await triesOf(openaiModel(options))).toMatchObject({ tries: 2, content: "Hello" });
  expect(await triesOf(anthropicModel(options))).toMatchObject({ tries: 2, content: "I search." });
});

test("a stream may take longer than a try while pieces come", async () => {
  await using server = await startModelServer(async (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const chunk of OPENAI_CHUNKS) {
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
    response.end("data: [DONE]\n\n");
  });
  const options = { model: "m", baseUrl: server.url, stream: true, timeoutMs: 5000 };
  expect(await triesOf(openaiModel(options))).toMatchObject({ tries: 1, content: "Hello" });
});

test("an abort ends a pause and a stalled body at once, with the signal's own reason", async () => {
  const busy: Answer = (_, response) => json(response, {}, 429, { "retry-after": "30" });
  const stalled: Answer = (_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).write("{");
  };
  for (const answer of [busy, stalled])
    for (const make of [openaiModel, anthropicModel]) {
      // One of its own: who asks a server that rests is not heard until it has rested.
      await using server = await startModelServer(answer);
      const client = make({ model: "m", baseUrl: server.url });
      const reason = new AtlasError("ATLAS_CANCELLED", "stop");
      const controller = new AbortController();
      void eventually(() => expect(server.requests).toHaveLength(1)).then(() => controller.abort(reason));
      await expect(client.complete(ASK, { signal: controller.signal })).rejects.toBe(reason);
    }
});

test("the runtime waits for a model's call no longer than it is told, whatever the client does", async () => {
  const roles = await startRoles({ teacher: () => {} });
  const { result, events } = await run({ ...roles, modelTimeoutMs: 2000 });
  expect(result.status).toBe("failed");
  expect(only(events, "StepValidated")[0]).toMatchObject({ verdict: "none" });
  expect(only(events, "ModelCallEnded")[1]?.error).toMatch(/ATLAS_MODEL_UNAVAILABLE: .* within 2000 ms/);
  const deaf: ModelClient = {
    provider: "mine",
    model: "deaf",
    simulated: false,
    complete: () => new Promise(() => {}),
  };
  const stuck = await run({ ...roles, teacher: deaf, modelTimeoutMs: 50 });
  expect(stuck.result.status).toBe("failed");
  await expect(run({ ...roles, modelTimeoutMs: 0 })).rejects.toThrow(/modelTimeoutMs/);
});

test("a redirect is refused, and the key goes nowhere else", async () => {
  await using elsewhere = await startModelServer((_, response) => json(response, message));
  await using server = await startModelServer((_, response) => {
    response.writeHead(307, { location: `${elsewhere.url}/chat/completions` }).end();
  });
  const options = { model: "m", baseUrl: server.url };
  for (const client of [openaiModel(options), anthropicModel(options)]) {
    const { tries, error } = await triesOf(client);
    expect(tries).toBe(1);
    expect(error?.hint).toMatch(/Redirects are not followed/);
  }
  expect(elsewhere.requests).toEqual([]);
});

test("what a configuration adds to every request is recorded with each call", async () => {
  const roles = await startRoles();
  const teacher = configuredModel({
    provider: "openai",
    model: "teacher",
    baseUrl: roles.url,
    temperature: 0.3,
    topP: 0.8,
    maxOutputTokens: 99,
    extra: { seed: 7 },
  });
  const { events } = await run({ ...roles, teacher });
  const { parameters } = only(events, "ModelCallStarted").find(({ role }) => role === "teacher")!;
  expect(JSON.parse(parameters!)).toMatchObject({
    temperature: 0.3,
    top_p: 0.8,
    max_tokens: 99,
    seed: 7,
    json: true,
    json_schema: { required: ["valid", "guidance", "reason"] },
  });
});

test("a server that asks for a rest gets it from every call, and nobody uses up a try while waiting", async () => {
  const RESTS_MS = 1500;
  let told = 0;
  const times: number[] = [];
  await using server = await startModelServer((_, response) => {
    times.push(performance.now());
    if (told === 0) {
      told = performance.now();
      return json(response, {}, 429, { "retry-after-ms": String(RESTS_MS) });
    }
    return json(response, completion("hi"));
  });
  await using other = await startModelServer((_, response) => json(response, completion("hi")));
  const make = (baseUrl: string): ModelClient => openaiModel({ model: "m", baseUrl, maxRetries: 0 });
  const first = await triesOf(make(server.url));
  expect(first).toMatchObject({ tries: 1, error: { code: "ATLAS_MODEL_UNAVAILABLE" } });
  const outcomes = await Promise.all([1, 2, 3, 4, 5].map(() => triesOf(make(server.url))));
  for (const outcome of outcomes) expect(outcome).toEqual({ tries: 1, error: undefined, content: "hi" });
  expect(times).toHaveLength(6);
  for (const time of times.slice(1)) expect(time - told).toBeGreaterThanOrEqual(RESTS_MS - 5);
  expect((await triesOf(make(other.url))).content).toBe("hi");
});
