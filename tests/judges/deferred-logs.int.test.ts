import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { configuredPanel } from "../../app/configured-judges.ts";
import { startJudging } from "../../app/start-judging.ts";
import type { ConfigInput } from "../../configs/config-schema.ts";
import { loadConfig } from "../../configs/load-config.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { runSession } from "../../producers/run-session.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { createFlusher } from "../../recording/flusher.ts";
import { eventsOf } from "../as-readers.ts";
import { eventually } from "../eventually.ts";
import { SERVER_LOGS } from "../soak/logs.ts";
import { openPlace } from "../soak/place.ts";
import { reply, startJudge } from "./judge-server.ts";

const SESSIONS = 12;

describe.each(SERVER_LOGS)("on the $name log", ({ skip, make }) => {
  test.skipIf(skip)("two processes judge sessions, each of them once", async () => {
    let asked = 0;
    const server = await startJudge(async () => {
      asked += 1;
      await sleep(20);
      return reply({ score: 0.5 });
    });
    const judges = {
      mode: "deferred",
      smallModel: server.model(),
      temperatures: [0.2, 0.8],
      parallel: 3,
      list: [{ name: "process" }],
    } as ConfigInput["judges"];
    const config = loadConfig({ judges } as ConfigInput, {});
    const { place, remove } = await make();
    onTestFinished(remove);
    const workers = [];
    for (const _ of [1, 2]) {
      const open = await openPlace(place, true);
      onTestFinished(open.close);
      const judging = await startJudging(open.log, open.rules, config);
      onTestFinished(judging.stop);
      workers.push(open);
    }
    const { log, db, rules, settled } = workers[0]!;
    const flusher = createFlusher(log);
    const rulesHash = await rules.ensure(config.rules);
    const panel = await configuredPanel(config, undefined);
    for (let n = 0; n < SESSIONS; n += 1) {
      const { durable, judgedLater } = await runSession({
        task: `Task ${n}`,
        agent: functionAgent(() => "an answer", { name: "mine" }),
        teacher: simulatedModel(),
        judge: panel,
        judgeLater: true,
        learningKey: "k",
        flusher,
        rulesHash,
      });
      expect(judgedLater).toBe(true);
      await durable;
    }
    const judged = () => eventsOf(log, "atlas.sessions", "SessionJudged");
    await eventually(async () => expect((await judged()).length).toBeGreaterThanOrEqual(SESSIONS));
    await eventually(async () => expect((await db.query("select 1 from atlas_log.queue")).rows).toEqual([]));
    await settled();
    expect(new Set((await judged()).map(({ meta }) => meta.session_id)).size).toBe(SESSIONS);
    expect(await judged()).toHaveLength(SESSIONS);
    expect(await eventsOf(log, "atlas.sessions", "JudgementMade")).toHaveLength(SESSIONS * 2);
    expect(await eventsOf(log, "atlas.rewards", "SessionRewarded")).toHaveLength(SESSIONS);
    expect(asked).toBe(SESSIONS * 2);
    await flusher.close();
  });
});
