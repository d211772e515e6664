import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { explain } from "../../errors/atlas-error.ts";
import { anthropicModel } from "../../models/anthropic.ts";
import { geminiModel } from "../../models/gemini.ts";
import { openaiModel } from "../../models/openai.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import { wrapAnthropic } from "../../producers/agents/wrap-anthropic.ts";
import { wrapOpenAI } from "../../producers/agents/wrap-openai.ts";
import { run, startRoles } from "../producers/sessions.ts";
import { only } from "../recording/memory-log.ts";
import { type Answer, closedPort, json, startModelServer } from "./model-server.ts";

/** Looks like no provider's key, so that only knowing it helps. */
const CANARY = "canary/of+the=mine.7391";

beforeEach(() => {
  for (const name of ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"]) vi.stubEnv(name, CANARY);
});
afterEach(() => vi.unstubAllEnvs());

const echoing =
  (status: number): Answer =>
  ({ headers }, response) => {
    const key = `${headers.authorization ?? ""} ${headers["x-api-key"] ?? ""}`;
    json(response, { error: { message: `refused ${key}`, [key]: key } }, status, { "x-echo": CANARY });
  };

/** Ways in which a server can be rude with the key that it gets. */
const RUDENESS: [string, Answer][] = [
  ...[400, 401, 403, 404, 429, 500, 503].map((status): [string, Answer] => [
    `status ${status}`,
    echoing(status),
  ]),
  ["text", (_, response) => void response.writeHead(500).end(`trace of ${CANARY}`)],
  [
    "redirect",
    (_, response) => void response.writeHead(302, { location: `http://x.invalid/${CANARY}` }).end(),
  ],
  [
    "broken JSON",
    (_, response) => void response.writeHead(200, { "content-type": "application/json" }).end(`{"${CANARY}`),
  ],
  ["a broken stream", (_, response) => void response.writeHead(200).write(CANARY, () => response.destroy())],
];

test.each(RUDENESS)("a key that comes back in %s is in no event, error or log line", async (_, answer) => {
  await using server = await startModelServer(answer);
  const written = [
    vi.spyOn(process.stdout, "write"),
    vi.spyOn(process.stderr, "write"),
    vi.spyOn(console, "error"),
  ];
  const options = { model: "m", baseUrl: server.url, maxRetries: 0 };
  const roles = await startRoles();
  for (const client of [openaiModel(options), anthropicModel(options), geminiModel(options)]) {
    const { result, events } = await run({ ...roles, agent: modelAgent(client), judge: client });
    expect(result.status).toBe("failed");
    expect(only(events, "ModelCallEnded")[0]?.error).toMatch(/^ATLAS_MODEL_(FAILED|UNAVAILABLE): /);
    const told = [
      JSON.stringify(events),
      explain(result.error),
      result.error?.stack,
      String(result.error?.cause),
    ];
    expect(told.join("\n")).not.toContain(CANARY);
  }
  expect(JSON.stringify(written.flatMap(({ mock }) => mock.calls))).not.toContain(CANARY);
  for (const spy of written) spy.mockRestore();
});

test("a key in a URL is in no event when nobody answers there", async () => {
  const baseUrl = `http://user:${CANARY.replace("/", "")}@127.0.0.1:${await closedPort()}/v1?key=${CANARY}`;
  const client = openaiModel({ model: "m", baseUrl, maxRetries: 0 });
  const { result, events } = await run({ ...(await startRoles()), agent: modelAgent(client) });
  const told = `${JSON.stringify(events)} ${explain(result.error)}`;
  expect(told).not.toMatch(/canary/);
});

test("a wrapped client's key is in no event, though its caller gets the SDK's own error", async () => {
  await using server = await startModelServer(echoing(401));
  const own: string[] = [];
  const agent = functionAgent(async (_task, _input, ctx) => {
    const options = { apiKey: CANARY, maxRetries: 0 };
    const openai = wrapOpenAI(new OpenAI({ ...options, baseURL: server.url }), ctx);
    const anthropic = wrapAnthropic(new Anthropic({ ...options, baseURL: server.url }), ctx);
    const messages = [{ role: "user" as const, content: "hello" }];
    const keep = (error: unknown): void => void own.push(String(error));
    await openai.chat.completions.create({ model: "m", messages }).catch(keep);
    await anthropic.messages.create({ model: "m", max_tokens: 5, messages }).catch(keep);
    return "done";
  });
  const { events } = await run({ ...(await startRoles()), agent });
  expect(own).toEqual([expect.stringContaining(CANARY), expect.stringContaining(CANARY)]);
  expect(only(events, "ModelCallEnded").filter(({ error }) => error !== null)).toHaveLength(2);
  expect(JSON.stringify(events)).not.toContain(CANARY);
});
