import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { folderForTest, opened } from "../app/opened.ts";
import { eventsOf } from "../as-readers.ts";
import { eventually } from "../eventually.ts";
import { reply, startJudge } from "./judge-server.ts";

const CHILD = join(import.meta.dirname, "judging-child.ts");
const SESSIONS = 6;
/** Requests of the judge after which its process is killed, and how many milliseconds later. */
const KILLS = [
  [1, 0],
  [3, 5],
  [6, 0],
  [4, 25],
  [6, 12],
] as const;

function child(...args: readonly string[]): ChildProcess {
  const process = spawn("node", [CHILD, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void process.kill("SIGKILL"));
  return process;
}

test("whoever judges may be killed at any point: each session is judged once, by one set of judgements", async () => {
  let asked = 0;
  const server = await startJudge(async () => {
    asked += 1;
    await sleep(3);
    return reply({ score: (asked % 100) / 100 });
  });
  const folder = folderForTest();
  let sessions = String(SESSIONS);
  for (const [requests, delay] of KILLS) {
    const until = asked + requests;
    const host = child(folder, server.url, sessions);
    sessions = "0";
    await once(host.stdout!, "data");
    await eventually(() => expect(asked).toBeGreaterThanOrEqual(until), 1).catch(() => undefined);
    await sleep(delay);
    host.kill("SIGKILL");
    await once(host, "exit");
  }
  const atlas = await opened(folder, {
    judges: {
      mode: "deferred",
      smallModel: { provider: "openai", model: "small", baseUrl: server.url, apiKeyEnv: "PATH", retries: 0 },
      temperatures: [0.2, 0.8],
      list: [{ name: "process" }, { name: "helpfulness", scope: "both" }],
    },
  });
  // What the dead were judging is theirs for a minute yet; the test does not wait for it.
  await atlas.db.query("update atlas_log.queue set due_at = now()");
  const judgedIn = () => eventsOf(atlas.log, "atlas.sessions", "SessionJudged");
  await eventually(async () =>
    expect(new Set((await judgedIn()).map(({ meta }) => meta.session_id)).size).toBe(SESSIONS),
  );
  await eventually(async () =>
    expect((await atlas.db.query("select 1 from atlas_log.queue")).rows).toEqual([]),
  );
  await atlas.settled();

  // On the wire the same events may stand twice; whoever reads them takes them once.
  const judged = await judgedIn();
  expect(new Set(judged.map((event) => JSON.stringify(event))).size).toBe(SESSIONS);
  const made = await eventsOf(atlas.log, "atlas.sessions", "JudgementMade");
  const ids = new Set(made.map(({ meta }) => meta.event_id));
  expect(ids).toEqual(new Set(judged.flatMap(({ judgements }) => judgements)));
  expect(ids.size).toBe(SESSIONS * 6);
  const { rows } = await atlas.db.query<{ type: string; count: number }>(
    "select type, count(*)::int as count from trajectory_events where type like '%Judge%' group by type order by type",
  );
  expect(rows).toEqual([
    { type: "JudgementMade", count: SESSIONS * 6 },
    { type: "SessionJudged", count: SESSIONS },
  ]);
  const rewarded = await eventsOf(atlas.log, "atlas.rewards", "SessionRewarded");
  expect(new Set(rewarded.map(({ meta }) => meta.session_id)).size).toBe(SESSIONS);
  expect(rewarded).toHaveLength(SESSIONS);
  expect(asked).toBeGreaterThan(SESSIONS * 6);
});
