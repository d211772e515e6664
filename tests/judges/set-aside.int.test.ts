import { expect, test } from "vitest";
import type { Atlas } from "../../app/open-atlas.ts";
import type { ConfigInput } from "../../configs/config-schema.ts";
import { listDeadLetters } from "../../log/dead-letters.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { keepWaiting, noteEnd } from "../../reactors/judging/judging-queue.ts";
import { folderForTest, opened } from "../app/opened.ts";
import { eventsOf } from "../as-readers.ts";
import { eventually } from "../eventually.ts";
import { looks } from "../looks.ts";
import { reply, startJudge } from "./judge-server.ts";

const agent = functionAgent(async (task) => `answer to ${task}`, { name: "mine" });
const teacher = simulatedModel();

async function judgedLater(): Promise<Atlas> {
  const server = await startJudge(() => reply({ score: 0.7 }));
  const judges = {
    mode: "deferred",
    smallModel: server.model(),
    temperatures: [0.2],
    list: [{ name: "process" }],
  };
  return opened(folderForTest(), { judges } as Omit<ConfigInput, "log">);
}

/** Makes the database refuse rows, as a broken extension would. */
async function refuse({ db }: Atlas, table: string, condition: string): Promise<() => Promise<void>> {
  await db.query(
    `create function refuse_rows() returns trigger language plpgsql as $$
     begin if ${condition} then raise exception 'the index is broken'; end if; return new; end $$`,
  );
  await db.query(
    `create trigger refuse before insert on ${table} for each row execute function refuse_rows()`,
  );
  return async () => void (await db.query("drop function refuse_rows() cascade"));
}

const waiting = async ({ db }: Atlas) =>
  (await db.query("select tries, last_error, holder from atlas_log.queue")).rows;

const untilJudgedOnce = (atlas: Atlas): Promise<void> =>
  eventually(async () => {
    // The next look is a minute away; the test does not wait for it.
    await atlas.db.query("update atlas_log.queue set due_at = now() where result is null");
    expect(await eventsOf(atlas.log, "atlas.sessions", "SessionJudged")).toHaveLength(1);
    expect(await waiting(atlas)).toEqual([]);
  });

const REFUSED = [
  ["start", "SessionStarted"],
  ["end", "SessionEnded"],
] as const;

test.each(REFUSED)(
  "a session whose %s the read models set aside waits for it, and is judged when it is retried",
  async (name, type) => {
    const atlas = await judgedLater();
    const mend = await refuse(atlas, "trajectory_events", `new.event::text like '%${type}%'`);
    const { durable } = await atlas.run({ task: "Say hello", agent, teacher });
    await durable;
    await eventually(async () =>
      expect(await waiting(atlas)).toEqual([
        { tries: 0, last_error: expect.stringContaining(name), holder: null },
      ]),
    );
    expect(await listDeadLetters(atlas.log)).toMatchObject([{ group: "read-models" }]);
    expect(await eventsOf(atlas.log, "atlas.sessions", "SessionJudged")).toEqual([]);
    await mend();
    expect(await atlas.deadLetters.retry()).toMatchObject([{ status: "applied" }]);
    await untilJudgedOnce(atlas);
    await atlas.settled();
    expect(await eventsOf(atlas.log, "atlas.rewards", "SessionRewarded")).toHaveLength(1);
  },
);

test("a session whose start the judging itself set aside is judged when it is retried after its end", async () => {
  const atlas = await judgedLater();
  const mend = await refuse(atlas, "atlas_log.queue", "true");
  const { durable } = await atlas.run({ task: "Say hello", agent, teacher });
  await durable;
  await atlas.settled();
  await eventually(async () =>
    expect(await listDeadLetters(atlas.log)).toMatchObject([{ group: "judging" }]),
  );
  await mend();
  expect(await atlas.deadLetters.retry()).toMatchObject([{ status: "applied" }]);
  await untilJudgedOnce(atlas);
});

test("a session that was cancelled is not judged, though its start was retried after its end", async () => {
  const atlas = await judgedLater();
  const mend = await refuse(atlas, "atlas_log.queue", "true");
  const cancel = new AbortController();
  const slow = functionAgent(
    (_, { signal }) =>
      new Promise<string>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        cancel.abort();
      }),
    { name: "slow" },
  );
  const { durable, status } = await atlas.run({
    task: "Say hello",
    agent: slow,
    teacher,
    signal: cancel.signal,
  });
  expect(status).toBe("cancelled");
  await durable;
  await eventually(async () => expect(await listDeadLetters(atlas.log)).toHaveLength(1));
  await mend();
  await atlas.deadLetters.retry();
  await looks("judging");
  expect(await waiting(atlas)).toEqual([]);
  // The run itself closed the set when it was cancelled.
  expect(await eventsOf(atlas.log, "atlas.sessions", "SessionJudged")).toMatchObject([{ judgements: [] }]);
  expect(await eventsOf(atlas.log, "atlas.sessions", "JudgementMade")).toEqual([]);
});

test("an erased session that still stands in the queue is taken off it", async () => {
  const atlas = await judgedLater();
  const { sessionId, durable } = await atlas.run({ task: "Say hello", agent, teacher });
  await durable;
  await untilJudgedOnce(atlas);
  await atlas.sessions.erase(sessionId, { reason: "asked for" });
  await atlas.settled();
  await keepWaiting(atlas.db, sessionId, "k");
  await noteEnd(atlas.db, sessionId);
  await eventually(async () => expect(await waiting(atlas)).toEqual([]));
});
