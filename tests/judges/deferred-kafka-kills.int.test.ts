import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { configuredPanel } from "../../app/configured-judges.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { runSession } from "../../producers/run-session.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { createFlusher } from "../../recording/flusher.ts";
import { eventsOf } from "../as-readers.ts";
import { eventually } from "../eventually.ts";
import { kafka, missing, postgres } from "../services/services.ts";
import { openPlace, type Place } from "../soak/place.ts";
import { kafkaPlace } from "../soak/places.ts";
import { reply, startJudge } from "./judge-server.ts";
import { judgingConfig } from "./judging-config.ts";

const SESSIONS = 6;
/** Requests of the judge after which its process is killed, and how many milliseconds later. */
const KILLS = [
  [1, 0],
  [3, 8],
  [4, 20],
] as const;

function judgeProcess(place: Place, url: string): ChildProcess {
  const file = join(import.meta.dirname, "judging-place-child.ts");
  const child = spawn(process.execPath, ["--no-warnings", file, JSON.stringify(place), url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

describe.skipIf(await missing("kafka", "postgres"))("on Kafka", () => {
  test("whoever judges may be killed: one set of judgements is recorded", async () => {
    let asked = 0;
    const server = await startJudge(async () => {
      asked += 1;
      const score = (asked % 100) / 100;
      await sleep(30);
      return reply({ score });
    });
    const { place, remove } = await kafkaPlace(await kafka(), async () => (await postgres()).url)();
    onTestFinished(remove);
    const { log, db, rules, settled, close } = await openPlace(place, true);
    onTestFinished(close);
    const config = judgingConfig(server.url);
    const flusher = createFlusher(log);
    onTestFinished(() => flusher.close());
    const rulesHash = await rules.ensure(config.rules);
    const judge = await configuredPanel(config, undefined);
    const agent = functionAgent(() => "an answer", { name: "mine" });
    const teacher = simulatedModel();
    for (let n = 0; n < SESSIONS; n += 1) {
      const run = { task: `Task ${n}`, agent, teacher, judge, judgeLater: true, learningKey: "k" };
      await (await runSession({ ...run, flusher, rulesHash })).durable;
    }
    for (const [requests, delay] of KILLS) {
      const until = asked + requests;
      const child = judgeProcess(place, server.url);
      await once(child.stdout!, "data");
      await eventually(() => expect(asked).toBeGreaterThanOrEqual(until), 2);
      await sleep(delay);
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    judgeProcess(place, server.url);
    const judged = () => eventsOf(log, "atlas.sessions", "SessionJudged");
    await eventually(async () => {
      expect(new Set((await judged()).map(({ meta }) => meta.session_id)).size).toBe(SESSIONS);
      expect((await db.query("select 1 from atlas_log.queue")).rows).toEqual([]);
    });
    await settled();
    // On the wire the same events may stand twice; whoever reads them takes them once.
    expect(new Set((await judged()).map((event) => JSON.stringify(event))).size).toBe(SESSIONS);
    const made = await eventsOf(log, "atlas.sessions", "JudgementMade");
    const ids = new Set(made.map(({ meta }) => meta.event_id));
    expect(ids).toEqual(new Set((await judged()).flatMap(({ judgements }) => judgements)));
    expect(ids.size).toBe(SESSIONS * 2);
    expect(await eventsOf(log, "atlas.rewards", "SessionRewarded")).toHaveLength(SESSIONS);
    expect(asked).toBeGreaterThan(SESSIONS * 2);
  });
});
