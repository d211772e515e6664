import { expect, test } from "vitest";
import type { Atlas } from "../../app/open-atlas.ts";
import { readerOf } from "../../app/start-judging.ts";
import type { ConfigInput } from "../../configs/config-schema.ts";
import { verifyLog } from "../../derivation/verify-log.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { JUDGING, JUDGING_TOPICS } from "../../reactors/judging/judging-consumer.ts";
import { startReactor } from "../../reactors/judging/judging-reactor.ts";
import { folderForTest, opened } from "../app/opened.ts";
import { eventsOf } from "../as-readers.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import { looks } from "../looks.ts";
import { json } from "../models/model-server.ts";
import { type JudgeServer, reply, startJudge } from "./judge-server.ts";

const agent = functionAgent(async (task) => `answer to ${task}`, { name: "mine" });
const teacher = simulatedModel();

const deferred = (server: JudgeServer, more: ConfigInput["judges"] = {}): Omit<ConfigInput, "log"> => ({
  judges: {
    mode: "deferred",
    smallModel: server.model(),
    temperatures: [0.2, 0.8],
    list: [{ name: "process" }],
    ...more,
  } as NonNullable<ConfigInput["judges"]>,
});

const judgedIn = ({ log }: Pick<Atlas, "log">) => eventsOf(log, "atlas.sessions", "SessionJudged");

async function untilJudged(atlas: Pick<Atlas, "log">, count = 1): Promise<void> {
  await eventually(async () => expect(await judgedIn(atlas)).toHaveLength(count));
}

test("a run does not wait for its judges; the reward comes later, under the same rules", async () => {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const server = await startJudge(async () => {
    await gate;
    return reply({ score: 0.7 });
  });
  const atlas = await opened(folderForTest(), deferred(server));
  const result = await atlas.run({ task: "Say hello", agent, teacher });
  expect(result).toMatchObject({ status: "succeeded", judgedLater: true });
  expect(result.reward).toBeUndefined();
  await result.durable;
  expect(await judgedIn(atlas)).toEqual([]);
  open();
  await untilJudged(atlas);
  await atlas.settled();

  const [judged] = await judgedIn(atlas);
  const made = await eventsOf(atlas.log, "atlas.sessions", "JudgementMade");
  expect(judged).toMatchObject({
    judgements: made.map(({ meta }) => meta.event_id),
    missing: [],
    rules_hash: await atlas.rules.ensure(atlas.config.rules),
    meta: { session_id: result.sessionId, source: `judges/${result.sessionId}` },
  });
  expect(made).toMatchObject([
    { judge: "process", score: 0.7, temperature: 0.2, usage: { total_tokens: 18 } },
    { judge: "process", score: 0.7, temperature: 0.8, usage: { total_tokens: 18 } },
  ]);
  const [rewarded] = await eventsOf(atlas.log, "atlas.rewards", "SessionRewarded");
  expect(rewarded).toMatchObject({ score: 0.7, complete: true, meta: { session_id: result.sessionId } });
  const { rows } = await atlas.db.query<{ incomplete: boolean }>("select incomplete from sessions");
  expect(rows).toEqual([{ incomplete: false }]);
  expect((await atlas.db.query("select * from atlas_log.queue")).rows).toEqual([]);
  expect(await verifyLog(atlas.log)).toMatchObject({ gaps: [], incompleteSessions: [] });
});

test("a model that does not answer is asked again; nothing of the failed try is recorded", async () => {
  let fails = 4;
  const server = await startJudge((_request, response) => {
    fails -= 1;
    if (fails >= 0) json(response, { error: { message: "overloaded" } }, 503);
    else {
      json(response, {
        id: "c",
        object: "chat.completion",
        created: 1,
        model: "m",
        choices: [
          { index: 0, finish_reason: "stop", message: { role: "assistant", content: reply({ score: 0.4 }) } },
        ],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      });
    }
  });
  const folder = folderForTest();
  const config = deferred(server);
  const atlas = await opened(folder, config);
  await atlas.run({ task: "Say hello", agent, teacher });
  // The first pause is ten seconds: the test does not wait for it.
  await eventually(async () => {
    const { rowCount } = await atlas.db.query(
      "update atlas_log.queue set due_at = now() where last_error is not null and holder is null",
    );
    expect(rowCount).toBe(1);
  });
  await eventually(async () => {
    await atlas.db.query("update atlas_log.queue set due_at = now() where holder is null and result is null");
    expect(await judgedIn(atlas)).toHaveLength(1);
  });
  expect(await eventsOf(atlas.log, "atlas.sessions", "JudgementMade")).toHaveLength(2);
  expect(await eventsOf(atlas.log, "atlas.sessions", "JudgementFailed")).toEqual([]);
});

test("after the last try a session is closed without a reward, and the log says why", async () => {
  const server = await startJudge((_request, response) =>
    json(response, { error: { message: "down" } }, 503),
  );
  const atlas = await opened(folderForTest(), {
    ...deferred(server),
  });
  await atlas.run({ task: "Say hello", agent, teacher });
  await eventually(async () => {
    const { rowCount } = await atlas.db.query(
      "update atlas_log.queue set tries = 11, due_at = now() where last_error is not null and holder is null",
    );
    expect(rowCount).toBe(1);
  });
  await untilJudged(atlas);
  await atlas.settled();
  const failed = await eventsOf(atlas.log, "atlas.sessions", "JudgementFailed");
  expect(failed).toHaveLength(2);
  expect(failed[0]).toMatchObject({
    judge: "process",
    stage: "sample",
    reason: expect.stringContaining("503"),
  });
  expect(await judgedIn(atlas)).toMatchObject([{ judgements: [], missing: ["process"] }]);
  expect(await eventsOf(atlas.log, "atlas.rewards", "SessionRewarded")).toEqual([]);
});

test("cancelled sessions, and those whose run names its own judges, are not judged later", async () => {
  const server = await startJudge(() => reply({ score: 0.7 }));
  const atlas = await opened(folderForTest(), deferred(server));
  const cancel = new AbortController();
  cancel.abort();
  const cancelled = await atlas.run({ task: "Say hello", agent, teacher, signal: cancel.signal });
  const own = await atlas.run({ task: "Say hello", agent, teacher, judge: simulatedModel() });
  expect([cancelled.judgedLater, own.judgedLater]).toEqual([false, false]);
  expect(own.reward?.score).toBeGreaterThan(0);
  await atlas.settled();
  await atlas.log.caughtUp(JUDGING, await atlas.log.ends(JUDGING_TOPICS), { timeoutMs: LIMIT_MS });
  await looks("judging");
  expect(await judgedIn(atlas)).toHaveLength(2);
  expect(server.requests).toEqual([]);
});

test("of two that judge the same session, one set of judgements is recorded", async () => {
  let asked = 0;
  const late = Promise.withResolvers<void>();
  const server = await startJudge(async () => {
    asked += 1;
    const score = asked / 100;
    if (asked <= 2) await late.promise;
    return reply({ score });
  });
  const atlas = await opened(folderForTest(), deferred(server));
  const { sessionId } = await atlas.run({ task: "Say hello", agent, teacher });
  await eventually(() => expect(asked).toBe(2));
  // As if its judge gave no sign of life any more.
  await atlas.db.query("update atlas_log.queue set due_at = now() - interval '1 second'");
  await untilJudged(atlas);
  late.resolve();
  await eventually(() => expect(server.answered()).toBe(4));
  await looks("judging");
  await atlas.settled();
  expect(asked).toBe(4);
  expect(await judgedIn(atlas)).toHaveLength(1);
  const made = await eventsOf(atlas.log, "atlas.sessions", "JudgementMade");
  expect(made.map(({ score }) => score).sort()).toEqual([0.03, 0.04]);
  expect(made.every(({ meta }) => meta.source === `judges/${sessionId}`)).toBe(true);
});

test("judgements that were fixed and perhaps appended are appended again as they are, and count once", async () => {
  const server = await startJudge(() => reply({ score: 0.6 }));
  const folder = folderForTest();
  const atlas = await opened(folder, deferred(server));
  const { sessionId } = await atlas.run({ task: "Say hello", agent, teacher });
  await untilJudged(atlas);
  await atlas.settled();
  const mine = `judges/${sessionId}`;
  const events = [];
  for await (const batch of atlas.log.read(["atlas.sessions"]))
    for (const { event } of batch) if (event.meta.source === mine) events.push(event);
  const counted = async () =>
    (
      await atlas.db.query(
        "select type, count(*)::int as count from trajectory_events group by type order by type",
      )
    ).rows;
  const before = await counted();
  await atlas.db.query(
    `insert into atlas_log.queue (queue, id, session_id, payload, due_at, result)
     values ('judging', $1::text, $1::text::uuid, '{"learningKey":"k"}', now(), $2)`,
    [sessionId, JSON.stringify(events)],
  );
  const nobody = () => Promise.reject(new Error("nobody is asked"));
  const reactor = startReactor(atlas.log, readerOf(atlas.log), nobody, 1, { everyMs: 50 });
  await eventually(async () =>
    expect((await atlas.db.query("select 1 from atlas_log.queue")).rows).toEqual([]),
  );
  await reactor.stop();
  await atlas.settled();
  expect(await counted()).toEqual(before);
  expect(await eventsOf(atlas.log, "atlas.rewards", "SessionRewarded")).toHaveLength(1);
});

test("a process that ends gives back what it is judging; the next one judges it at once", async () => {
  let answers = false;
  const server = await startJudge(async () => {
    if (!answers) await new Promise(() => undefined);
    return reply({ score: 0.6 });
  });
  const folder = folderForTest();
  const first = await opened(folder, deferred(server));
  await first.run({ task: "Say hello", agent, teacher });
  await eventually(() => expect(server.requests).toHaveLength(2));
  await first.close();
  answers = true;
  const second = await opened(folder, deferred(server));
  await untilJudged(second);
  expect(await judgedIn(second)).toMatchObject([{ missing: [] }]);
  expect(await eventsOf(second.log, "atlas.sessions", "JudgementFailed")).toEqual([]);
});

test("a session that is erased while it is judged stays erased: what its judges say is dropped", async () => {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const server = await startJudge(async () => {
    await gate;
    return reply({ score: 0.7 });
  });
  const atlas = await opened(folderForTest(), deferred(server));
  const { sessionId } = await atlas.run({ task: "Say hello", agent, teacher });
  await eventually(() => expect(server.requests).toHaveLength(2));
  await atlas.sessions.erase(sessionId, { reason: "asked for" });
  await eventually(async () =>
    expect((await atlas.db.query("select 1 from atlas_log.queue")).rows).toEqual([]),
  );
  open();
  await eventually(() => expect(server.answered()).toBe(2));
  await looks("judging");
  await atlas.settled();
  expect(await judgedIn(atlas)).toEqual([]);
});
