import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { anthropicModel } from "../../models/anthropic.ts";
import { openaiModel } from "../../models/openai.ts";
import { PLAN_REQUEST } from "../../producers/prompts/plan.ts";
import { STEP_REQUEST } from "../../producers/prompts/step.ts";
import { defineTool } from "../../producers/tools/tool.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { json, type ModelServer, startModelServer } from "../models/model-server.ts";
import { only } from "../recording/memory-log.ts";
import { hostileAtlas } from "./hostile-run.ts";
import { KEYS, PROVIDERS, type Provider, refuse } from "./providers.ts";

const run = hostileAtlas();
const MARK = /task-\d+-\w+/g;
const STEPS = [1, 2, 3].map((id) => ({ id, description: `part ${id}`, depends_on: id === 3 ? [1, 2] : [] }));

/** A teacher's and judge's reply to whatever they are asked. */
const AGREED = { valid: true, steps: [], score: 0.5, uncertainty: 0.1, rationale: "r", principles: [] };

/**
 * Answers with what it was told, and calls a tool in each step; now and then it is busy, never twice for the same
 * question: by chance a call's tries would be used up.
 */
function serve(provider: Provider): Promise<ModelServer> {
  let asked = 0;
  const refused = new Set<string>();
  return startModelServer(async ({ body }, response) => {
    asked += 1;
    const question = JSON.stringify(body);
    if (asked % 17 === 0 && !refused.has(question)) {
      refused.add(question);
      return refuse(response, 503, { "retry-after-ms": "5" });
    }
    await sleep(asked % 5);
    if (body["model"] !== "student") return json(response, provider.answer(JSON.stringify(AGREED)));
    const messages = body["messages"] as { role: string; content: unknown }[];
    const said = JSON.stringify(messages);
    const mark = said.match(MARK)?.[0] ?? "nobody";
    if (said.includes(PLAN_REQUEST)) return json(response, provider.answer(JSON.stringify({ steps: STEPS })));
    const isStep = said.includes(STEP_REQUEST) && messages.length === 1;
    const args = provider.name === "anthropic" ? { mark } : JSON.stringify({ mark });
    json(
      response,
      isStep ? provider.calls([{ id: "c", name: "echo", args }]) : provider.answer(`for ${mark}`),
    );
  });
}

const echo = defineTool({
  name: "echo",
  parameters: z.object({ mark: z.string() }),
  async run({ mark }) {
    await sleep(1);
    return `echo of ${mark}`;
  },
});

let servers: ModelServer[];
beforeAll(async () => {
  servers = await Promise.all(PROVIDERS.map(serve));
});
beforeEach(() => {
  for (const name of KEYS) vi.stubEnv(name, "key-0123456789");
});
afterAll(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
});

function sessionOptions(name: string, signal: AbortSignal) {
  return (_: unknown, index: number) => {
    const at = index % PROVIDERS.length;
    const provider = PROVIDERS[at]!;
    const options = { baseUrl: servers[at]!.url };
    const reviewer = provider.name === "anthropic" ? anthropicModel : openaiModel;
    return {
      task: `task-${index}-${name}`,
      agent: provider.agent({ model: "student", ...options, tools: [echo] }),
      teacher: reviewer({ model: "teacher", ...options }),
      judge: reviewer({ model: "judge", ...options }),
      lane: { forced: "coach" as const },
      signal,
    };
  };
}

/** Everything that a session's events say of any task. */
const marksIn = (events: readonly AtlasEvent[]): string[] => [
  ...new Set(
    JSON.stringify(events, (_, value) => (typeof value === "bigint" ? String(value) : value)).match(MARK),
  ),
];

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** What the process holds when nothing runs: heap bytes, and timers. */
async function held(): Promise<{ heap: number; timers: number }> {
  for (let round = 0; round < 5; round += 1) {
    await sleep(50);
    gc();
  }
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  return { heap: process.memoryUsage().heapUsed, timers };
}

test("two hundred sessions at once against real servers neither mix nor leak", async () => {
  const warnings: string[] = [];
  const warned = ({ message }: Error): void => void warnings.push(message);
  process.on("warning", warned);
  const { signal } = new AbortController();
  await run(...Array.from({ length: 30 }, sessionOptions("warm", signal)));
  const before = await held();

  await (async () => {
    const told = await run(...Array.from({ length: 200 }, sessionOptions("real", signal)));
    expect(new Set(told.map(({ result }) => result.sessionId)).size).toBe(200);
    for (const [index, { result, events }] of told.entries()) {
      const mark = `task-${index}-real`;
      expect(result).toMatchObject({
        status: "succeeded",
        finalAnswer: `for ${mark}`,
        reward: { score: 0.5 },
      });
      expect(marksIn(events)).toEqual([mark]);
      expect(only(events, "ToolCallEnded").map(({ output }) => output)).toEqual(
        Array(3).fill(`echo of ${mark}`),
      );
      expect(only(events, "StepEnded").map(({ status }) => status)).toEqual(Array(3).fill("succeeded"));
      expect(only(events, "ModelCallEnded").filter(({ error }) => error !== null)).toEqual([]);
    }
  })();

  for (const server of servers) server.requests.length = 0;
  expect(getEventListeners(signal, "abort")).toEqual([]);
  const after = await held();
  expect(after.timers).toBeLessThanOrEqual(before.timers + 2);
  expect(after.heap).toBeLessThan(before.heap * 1.5 + 20e6);
  process.off("warning", warned);
  expect(warnings).toEqual([]);
});
