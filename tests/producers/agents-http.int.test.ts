import { afterEach, expect, test, vi } from "vitest";
import { explain } from "../../errors/atlas-error.ts";
import { httpAgent } from "../../producers/agents/http-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { closedPort, json, startModelServer } from "../models/model-server.ts";
import { only } from "../recording/memory-log.ts";
import { run } from "./sessions.ts";

const model = simulatedModel({ latencyMs: 0 });
const both = { teacher: model, judge: model };
afterEach(() => vi.unstubAllEnvs());
const students = (events: readonly AtlasEvent[]) =>
  only(events, "ModelCallEnded").filter(({ role }) => role === "student");

test("template, result path, headers and key make the request; the answer is what is at the path", async () => {
  vi.stubEnv("MY_KEY", "canary-key-0123456789");
  await using server = await startModelServer((_, response) =>
    json(response, { output: [{ text: "no" }, { text: "yes" }] }),
  );
  const { result, events } = await run({
    agent: httpAgent({
      url: `${server.url}/answer?mode=x`,
      template: { input: [{ text: "Q: {{task}}", n: 1 }], attempt: "{{attempt}}", kept: "{{other}}" },
      resultPath: "output[1].text",
      apiKeyEnv: "MY_KEY",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the agent fills it from the environment
      headers: { "X-Team": "team-${MY_KEY}" },
    }),
    ...both,
  });
  expect(result.finalAnswer).toBe("yes");
  expect(events[0]).toMatchObject({ agent_kind: "http" });
  const [request] = server.requests;
  expect(request?.path).toBe("/v1/answer?mode=x");
  expect(request?.body).toEqual({
    input: [{ text: "Q: Say hello", n: 1 }],
    attempt: "1",
    kept: "{{other}}",
  });
  expect(request?.headers).toMatchObject({
    authorization: "Bearer canary-key-0123456789",
    "x-team": "team-canary-key-0123456789",
  });
  expect(only(events, "ModelCallStarted")[0]).toMatchObject({
    ...{ provider: "http", model: new URL(server.url).host, step_id: 1, attempt: 1 },
    messages: '[{"role":"user","content":"Say hello"}]',
    parameters: JSON.stringify({ body: request?.body }),
  });
  expect(students(events)).toMatchObject([{ content: "yes", tries: 1, error: null, usage: null }]);
  expect(JSON.stringify(events)).not.toContain("canary-key");
});

test("a rate limit is waited out as long as the server asks, a failing server is tried again", async () => {
  const statuses = [429, 503];
  await using server = await startModelServer((_, response) => {
    const status = statuses.shift();
    if (status === undefined) response.end("at last");
    else json(response, {}, status, { "retry-after": status === 429 ? "1" : "0" });
  });
  const from = performance.now();
  const prices = { far: { input: 0, output: 0 }, simulated: { input: 0, output: 0 } };
  const agent = httpAgent({ url: server.url, name: "far" });
  const { result, events } = await run({ agent, ...both, prices });
  expect(result).toMatchObject({ finalAnswer: "at last", cost: 0 });
  expect(server.requests).toHaveLength(3);
  expect(students(events)).toMatchObject([
    { provider: "http", model: "far", content: "at last", tries: 3, error: null },
  ]);
  expect(result.tokens.byRole.student).toEqual({ calls: 1, failed: 0, retries: 2, cost: 0 });
  expect(performance.now() - from).toBeGreaterThan(950);
});

test("other refusals, a missing path and broken JSON fail at once; secrets stay out of the error", async () => {
  vi.stubEnv("MY_KEY", "canary-key-0123456789");
  const bodies = ['{"error": "Bearer canary-key-0123456789 is bad"}', '{"a": [1]}', '{"a": '];
  for (const [at, expected] of [/answered 400/, /nothing at a\.1/, /not JSON/].entries()) {
    await using server = await startModelServer((_, response) => {
      response.writeHead(at === 0 ? 400 : 200).end(bodies[at]);
    });
    const agent = httpAgent({ url: server.url, apiKeyEnv: "MY_KEY", resultPath: "a[1].b" });
    const { result, events } = await run({ agent, ...both });
    expect(result.status).toBe("failed");
    expect(students(events)).toMatchObject([
      { content: null, tries: 1, error: expect.stringMatching(expected) },
    ]);
    expect(JSON.stringify(events)).not.toContain("canary-key");
    expect(explain(result.error)).toMatch(expected);
    expect(explain(result.error)).not.toContain("canary-key");
    expect(server.requests).toHaveLength(1);
  }
});

test("a slow and an absent server are failures with what happened", async () => {
  await using slow = await startModelServer(() => {});
  const late = await run({ agent: httpAgent({ url: slow.url, timeoutMs: 50, maxRetries: 0 }), ...both });
  expect(late.result.error?.message).toMatch(/did not answer within 50 ms/);
  const url = `http://127.0.0.1:${await closedPort()}/`;
  const gone = await run({ agent: httpAgent({ url, maxRetries: 0 }), ...both });
  expect(gone.result.error?.message).toMatch(/cannot be reached: .*ECONNREFUSED/);
  for (const { events } of [late, gone])
    expect(students(events)).toMatchObject([{ content: null, tries: 1 }]);
});

test("a redirect is refused, and no header goes to where it points", async () => {
  await using elsewhere = await startModelServer((_, response) => void response.end("got you"));
  await using server = await startModelServer(
    (_, response) => void response.writeHead(307, { location: elsewhere.url }).end(),
  );
  const agent = httpAgent({ url: server.url, headers: { "x-api-key": "canary-key-0123456789" } });
  const { result } = await run({ agent, ...both });
  expect(result.error?.message).toMatch(/answered 307: redirects are not followed/);
  expect(server.requests).toHaveLength(1);
  expect(elsewhere.requests).toEqual([]);
});
