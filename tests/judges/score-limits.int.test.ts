import { expect, onTestFinished, test, vi } from "vitest";
import type { ConfigInput } from "../../configs/config-schema.ts";
import { loadConfig } from "../../configs/load-config.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { toTrajectoryEvent } from "../../traces/trajectory-event.ts";
import { createScorer } from "../../worker/score/scorer.ts";
import { serveWorker } from "../../worker/worker-server.ts";
import { sessionWriter } from "../traces/sessions.ts";
import { reply, startJudge } from "./judge-server.ts";

type Source = Omit<ConfigInput, "log">;
type Judges = NonNullable<ConfigInput["judges"]>;

const CHECK = { judges: { list: [{ name: "cites", type: "regex", pattern: "4", scope: "both" }] } as Judges };

async function served(source: Source): Promise<string> {
  const config = loadConfig(source, {});
  const server = await serveWorker(
    { host: "127.0.0.1", port: 0 },
    {
      health: async () => ({ status: "ok", log: { id: "l", kind: "embedded", answers: true }, groups: [] }),
      score: { score: createScorer(config), limits: config.score },
      token: undefined,
      loopback: true,
    },
  );
  onTestFinished(() => server.close());
  return server.url;
}

interface Answered {
  status: number;
  body: { score?: number; error?: { code: string; message: string; hint: string } };
  retryAfter: string | null;
}

async function post(url: string, trace: object, signal?: AbortSignal): Promise<Answered> {
  const response = await fetch(`${url}/score`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ trace }),
    ...(signal !== undefined && { signal }),
  });
  const body = (await response.json()) as Answered["body"];
  return { status: response.status, body, retryAfter: response.headers.get("retry-after") };
}

const stepsOf = (count: number): object[] => Array.from({ length: count }, () => ({ output: "4" }));
const lineOf = (events: readonly AtlasEvent[]): object => ({
  task: "t",
  trajectory_events: events.map((event) => ({ event: toTrajectoryEvent(event) })),
});

test("a trace of too many steps or questions is refused with what it may have", async () => {
  const url = await served(CHECK);
  const many = await post(url, { task: "t", steps: stepsOf(201) });
  expect(many).toMatchObject({ status: 400, body: { error: { code: "ATLAS_REQUEST_INVALID" } } });
  expect(many.body.error).toMatchObject({
    message: "the trace has 201 steps",
    hint: /200.*score\.max_steps/,
  });
  const { emit, events } = sessionWriter("many");
  emit("SessionStarted", { task: "t", learning_key: "k", agent: "a" });
  for (let step_id = 1; step_id <= 201; step_id += 1) emit("StepStarted", { step_id, description: "" });
  expect((await post(url, lineOf(events))).body.error?.message).toBe("the trace has 201 steps");
  expect(await post(url, { task: "t", final_answer: "4", steps: stepsOf(200) })).toMatchObject({
    status: 200,
    body: { score: 1 },
  });
  const strict = await served({ ...CHECK, score: { maxQuestions: 3 } });
  expect((await post(strict, { task: "t", steps: stepsOf(2) })).status).toBe(200);
  const asking = await post(strict, { task: "t", steps: stepsOf(3) });
  expect(asking).toMatchObject({ status: 400, body: { error: { message: /4 questions/ } } });
});

test("events that no training line has are refused", async () => {
  const url = await served(CHECK);
  const { emit, events } = sessionWriter("odd");
  emit("SessionStarted", { task: "t", learning_key: "k", agent: "a" });
  const started = events[0]!.meta.event_id;
  emit("ContentContinued", { continues: started, field: "task", part: 1, parts: 2, text: "x" });
  expect(await post(url, lineOf(events))).toMatchObject({
    status: 400,
    body: { error: { message: /ContentContinued/ } },
  });
});

test("more requests than may be answered at a time are told to come again; a client that leaves stops its judges", async () => {
  let left = 0;
  const judge = await startJudge((_request, response) => {
    response.on("close", () => {
      left += 1;
    });
  });
  const judges = {
    smallModel: judge.model(),
    temperatures: [null],
    list: [{ name: "helpfulness" }],
  } as Judges;
  const url = await served({ judges, score: { maxRequests: 1 } });
  const leaving = new AbortController();
  const first = post(url, { task: "t", final_answer: "a" }, leaving.signal).catch(() => "left");
  await vi.waitFor(() => expect(judge.requests).toHaveLength(1), 20_000);
  const second = await post(url, { task: "t", final_answer: "a" });
  expect(second).toMatchObject({ status: 429, body: { error: { code: "ATLAS_WORKER_BUSY" } } });
  expect(Number(second.retryAfter)).toBeGreaterThan(0);
  leaving.abort();
  expect(await first).toBe("left");
  await vi.waitFor(() => expect(left).toBe(1), 20_000);
  const third = new AbortController();
  const next = post(url, { task: "t", final_answer: "a" }, third.signal).catch(() => "left");
  await vi.waitFor(() => expect(judge.requests).toHaveLength(2), 20_000);
  third.abort();
  await next;
});

test("what waits to be answered has a limit in bytes too", async () => {
  const judge = await startJudge(() => new Promise<string>(() => {}));
  const judges = {
    smallModel: judge.model(),
    temperatures: [null],
    list: [{ name: "helpfulness" }],
  } as Judges;
  const url = await served({ judges, score: { maxWaitingMb: 0.002 } });
  const leaving = new AbortController();
  const first = post(url, { task: "t", final_answer: "a".repeat(1500) }, leaving.signal).catch(() => "left");
  await vi.waitFor(() => expect(judge.requests).toHaveLength(1), 20_000);
  expect((await post(url, { task: "t", final_answer: "a".repeat(1500) })).status).toBe(429);
  leaving.abort();
  await first;
});

test("events are masked like the log before a judge sees them", async () => {
  const secret = `sk-proj-${"Ab3d".repeat(6)}`;
  const judge = await startJudge(() => reply({ score: 0.5 }));
  const judges = {
    smallModel: judge.model(),
    temperatures: [null],
    list: [{ name: "helpfulness" }],
  } as Judges;
  const url = await served({ judges, capture: { mask: ["api_key"] } });
  const { emit, events } = sessionWriter("secret");
  emit("SessionStarted", { task: `use ${secret}`, learning_key: "k", agent: "a" });
  emit("SessionEnded", { learning_key: "k", status: "succeeded", final_answer: `with ${secret}` });
  expect((await post(url, lineOf(events))).body.score).toBe(0.5);
  const seen = JSON.stringify(judge.requests.map(({ body }) => body));
  expect(seen).toContain("[atlas:redacted]");
  expect(seen).not.toContain(secret);
});

test("ten thousand steps take a time that grows with them", async () => {
  const list = [{ name: "cites", type: "regex", pattern: "4" }];
  const config = loadConfig({ judges: { list } as Judges, score: { maxSteps: 10_000 } }, {});
  const trace = { task: "t", final_answer: "4", steps: stepsOf(10_000) };
  const before = process.cpuUsage();
  const { score } = await createScorer(config)({ trace }, new AbortController().signal);
  const { user, system } = process.cpuUsage(before);
  expect(score).toBe(1);
  expect((user + system) / 1e6).toBeLessThan(6);
}, 120_000);
