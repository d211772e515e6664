import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { buildDataset } from "../../app/datasets.ts";
import { exportDataset } from "../../app/export-dataset.ts";
import { checkedExport, type ExportFlags } from "../../cli/export-flags.ts";
import { driftReport } from "../../derivation/reports/drift-report.ts";
import { rewardReport } from "../../derivation/reports/reward-report.ts";
import { rescore } from "../../derivation/rescore/rescore.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { listSessions } from "../../projections/session-summaries.ts";
import {
  countTrainingSessions,
  getSession,
  getTrainingSessions,
  streamTrainingSessions,
} from "../../projections/training-data.ts";
import { DEFAULT_RULES } from "../../schemas/rules.ts";
import { createLiveSink, LIVE_JSONL, LIVE_TOPICS } from "../../sinks/jsonl/live-sink.ts";
import { linesOf, recorded } from "../cli/recorded.ts";
import { sessionId, sessionWriter } from "../traces/sessions.ts";
import { approveAll, folderForTest, opened } from "./opened.ts";

const model = simulatedModel({ latencyMs: 0 });

/** One recorded session, a run with simulated models, and a real run that a simulated judge scored afterwards. */
async function threeSessions() {
  const folder = folderForTest();
  const atlas = await opened(folder);
  const file = join(folder, "runs.jsonl");
  writeFileSync(file, linesOf([recorded(0, { reward: 0.9 })]));
  await atlas.sessions.import({ files: [file] });
  // Nothing but what the agent asks is simulated.
  const agent = functionAgent(
    async (task, _input, ctx) =>
      (await ctx.model(model, { messages: [{ role: "user", content: task }] })).content,
    { name: "mine" },
  );
  const real = { ...model, provider: "local", simulated: false };
  const run = await atlas.run({ task: "Say hello", agent, teacher: real, judge: real });
  await run.durable;
  expect(run.simulated).toBe(true);
  const { events, emit } = sessionWriter("judged");
  emit("SessionStarted", { task: "t", learning_key: "k", agent: "x" });
  emit("SessionEnded", { learning_key: "k", status: "succeeded", final_answer: "real" });
  const judged = emit("JudgementMade", { judge: "j", stage: "sample", score: 0.9, provider: "simulated" });
  const rules_hash = await atlas.rules.ensure(atlas.config.rules);
  emit("SessionJudged", { learning_key: "k", judgements: [judged.meta.event_id], missing: [], rules_hash });
  await atlas.log.append(events.map(atlas.log.mask));
  return { atlas, simulated: [run.sessionId, sessionId("judged")].sort() };
}

test("a session is simulated when any model of it was, and no reader of training data gets it unless asked", async () => {
  const { atlas, simulated } = await threeSessions();
  const { db, log } = atlas;

  const live = folderForTest();
  const leftOut: number[] = [];
  const sink = createLiveSink({ folder: live, onLeftOut: (count) => leftOut.push(count) });
  const options = { group: sink.group, topics: sink.topics, onAssignmentChange: sink.forget };
  const consumer = await log.consume(options, sink.apply);
  onTestFinished(() => consumer.stop().then(sink.close));
  await approveAll(atlas);

  const [real] = (await listSessions(db, { simulated: false })).map((session) => session.sessionId);
  const idsOf = async (list: Promise<{ sessionId: string }[]>) =>
    (await list).map((session) => session.sessionId).sort();
  expect(await idsOf(listSessions(db, { simulated: true }))).toEqual(simulated);
  expect(await idsOf(listSessions(db))).toHaveLength(3);

  expect(await idsOf(getTrainingSessions(db))).toEqual([real]);
  expect(await idsOf(getTrainingSessions(db, { simulated: true }))).toEqual(simulated);
  expect(await idsOf(getTrainingSessions(db, { simulated: "all" }))).toHaveLength(3);
  const streamed: string[] = [];
  for await (const { sessionId: id } of streamTrainingSessions(db)) streamed.push(id);
  expect(streamed).toEqual([real]);
  expect(await countTrainingSessions(db)).toBe(1);
  expect((await getSession(db, simulated[0]!)).simulated).toBe(true);
  await expect(getTrainingSessions(db, { simulated: "no" as "all" })).rejects.toMatchObject({
    code: "ATLAS_FILTER_INVALID",
  });

  const output = join(folderForTest(), "out.jsonl");
  expect((await exportDataset(atlas, { output })).manifest).toMatchObject({
    sessions: 1,
    simulated_sessions: 0,
    left_out: { simulated: 2 },
  });
  const exportWith = async (flags: Partial<ExportFlags>) =>
    (await checkedExport({ offset: "0", ...flags })(atlas, { output })).manifest;
  expect(await exportWith({})).toMatchObject({ sessions: 1, left_out: { simulated: 2 } });
  // One that is named is still not asked for.
  expect(await exportWith({ sessionId: [real!, simulated[0]!] })).toMatchObject({
    sessions: 1,
    left_out: { simulated: 1 },
  });
  expect(await exportWith({ includeSimulated: true })).toMatchObject({
    sessions: 3,
    simulated_sessions: 2,
    left_out: { simulated: 0 },
  });
  expect(await exportWith({ where: ["simulated=true"] })).toMatchObject({
    sessions: 2,
    simulated_sessions: 2,
  });
  await expect(exportWith({ sessionId: simulated })).rejects.toMatchObject({
    code: "ATLAS_NOTHING_TO_EXPORT",
    message: expect.stringContaining("2 that would are simulated"),
    hint: expect.stringContaining("--include-simulated"),
  });

  const built = async (where = {}) =>
    (await buildDataset(log, { output: join(folderForTest(), "data"), where })).manifest;
  expect(await built()).toMatchObject({ sessions: 1, left_out: { simulated: 2, filtered: 0 } });
  expect(await built({ simulated: "all" })).toMatchObject({ sessions: 3, simulated_sessions: 2 });
  expect(await built({ simulated: true })).toMatchObject({ sessions: 2, left_out: { filtered: 1 } });
  await expect(built({ sessionIds: simulated })).rejects.toMatchObject({
    message: expect.stringContaining("2 that would are simulated"),
  });

  await log.caughtUp(LIVE_JSONL, await log.ends(LIVE_TOPICS), { timeoutMs: 60_000 });
  const text = readdirSync(live)
    .map((name) => readFileSync(join(live, name), "utf8"))
    .join("");
  expect(text).toContain(real);
  for (const id of simulated) expect(text).not.toContain(id);
  expect(leftOut.reduce((sum, count) => sum + count, 0)).toBe(2);

  for (const report of [rewardReport, driftReport]) {
    expect(await report(atlas)).toMatchObject({
      sessions: 1,
      simulatedLeftOut: 2,
      groups: [{ simulated: 0 }],
    });
    expect(await report(atlas, { includeSimulated: true })).toMatchObject({
      sessions: 3,
      simulatedLeftOut: 0,
      groups: [{ simulated: 2 }],
    });
  }
  const { counts } = await rescore(log, { rubric: DEFAULT_RULES.rubric, branch: "again" });
  expect(counts).toMatchObject({ sessions: 3, simulated: 2 });
});
