import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startAlerting } from "../../app/alerting.ts";
import { intakeInto } from "../../app/intake-into.ts";
import { startLiveDataset } from "../../app/live-dataset.ts";
import { rebuild } from "../../app/rebuild.ts";
import { startJudging } from "../../app/start-judging.ts";
import { loadConfig } from "../../configs/load-config.ts";
import { importRecorded } from "../../intake/import/import-recorded.ts";
import type { ImportSummary } from "../../intake/import/intake.ts";
import type { Consumer } from "../../log/event-log.ts";
import { startsOf } from "../../log/runner/group-starts.ts";
import { JUDGING_TOPICS } from "../../reactors/judging/judging-consumer.ts";
import { alreadyMasked } from "../../schemas/masked.ts";
import { partitionOf } from "../../schemas/partition.ts";
import { LIVE_TOPICS, type Topic } from "../../schemas/topics.ts";
import { ALERT_TOPICS } from "../../sinks/alerts/alert-consumer.ts";
import { LIVE_TOPICS as LIVE_JSONL_TOPICS } from "../../sinks/jsonl/live-sink.ts";
import { METRIC_TOPICS, METRICS, metricsConsumer } from "../../sinks/metrics/metrics-consumer.ts";
import { createWorkerMetrics } from "../../sinks/metrics/worker-metrics.ts";
import { folderForTest } from "../app/opened.ts";
import { eventsIn } from "../as-readers.ts";
import { LIMIT_MS } from "../eventually.ts";
import { rowsKept } from "../log/rows-kept.ts";
import { everything } from "../projections/replayed.ts";
import { writeConversations } from "../soak/conversations.ts";
import { LOGS } from "../soak/logs.ts";
import { type OpenPlace, openPlace } from "../soak/place.ts";

const SESSIONS = 12;
const DERIVED = ["atlas.rewards", "atlas.drift", "atlas.review-status"] as const satisfies readonly Topic[];
const AT = new Date("2026-01-01T00:00:00Z");
const config = loadConfig({ judges: { mode: "deferred", list: [{ name: "process" }] } }, {});

interface Other {
  consumer: Consumer;
  topics: readonly Topic[];
}

/** The groups that a host may run beside the pipeline. */
async function startOthers({ log, rules }: OpenPlace): Promise<Other[]> {
  const alerting = await startAlerting(log, []);
  onTestFinished(alerting.stop);
  const judging = await startJudging(log, rules, config);
  onTestFinished(judging.stop);
  const live = await startLiveDataset(log, {
    path: join(folderForTest(), "live"),
    rotateMb: 1,
    includeSimulated: true,
  });
  onTestFinished(live.stop);
  const metrics = createWorkerMetrics({ learningKeys: [], destinations: [] });
  const counting = await log.consume(
    { group: METRICS, topics: METRIC_TOPICS },
    metricsConsumer(metrics, await startsOf(log, METRICS, METRIC_TOPICS)),
  );
  onTestFinished(() => counting.stop());
  return [
    { consumer: alerting.consumer, topics: ALERT_TOPICS },
    { consumer: judging.consumer, topics: JUDGING_TOPICS },
    { consumer: live.consumer, topics: LIVE_JSONL_TOPICS },
    { consumer: counting, topics: METRIC_TOPICS },
  ];
}

/** What a version left behind that marked no ends. */
async function asBefore({ db, log }: OpenPlace, sessions: readonly string[]): Promise<void> {
  await db.query(
    "update atlas_log.session_ids set closed_at = null, last_sequence = null, closer = null, rewarded_at = null",
  );
  await db.query(
    `insert into atlas_log.sequences (group_id, topic, partition, source, sequence)
     select g, 'atlas.sessions', s.partition, s.id, 2
       from unnest(array['session-rewards@2', 'read-models']) as g, unnest($1::text[], $2::int[]) as s(id, partition)`,
    [sessions, sessions.map((session) => partitionOf(session, log.partitions))],
  );
}

describe.each(LOGS)("closed sessions on the $name log", ({ skip, make }) => {
  test.skipIf(skip)("leave one small row for all groups, and whatever is repeated adds nothing", async () => {
    const { place, remove } = await make();
    onTestFinished(remove);
    const open = await openPlace(place, true);
    onTestFinished(open.close);
    const { log, db, rules } = open;
    const file = join(folderForTest(), "runs.jsonl");
    writeConversations(file, 3, SESSIONS);
    const imported = async (): Promise<ImportSummary> =>
      importRecorded({ files: [file], at: AT, ...(await intakeInto(log, rules, config.rules)) });
    const others = await startOthers(open);
    const settled = async (): Promise<void> => {
      await open.settled();
      for (const { consumer, topics } of others)
        await log.caughtUp(consumer.group, await log.ends(topics), { timeoutMs: LIMIT_MS });
    };

    expect(await imported()).toMatchObject({ sessions: SESSIONS });
    await settled();
    const facts = await eventsIn(log, "atlas.sessions");
    const ids = facts.flatMap(({ type, meta }) => (type === "SessionStarted" ? meta.source : []));
    const derived = await eventsIn(log, ...DERIVED);
    expect(derived.filter(({ type }) => type === "DriftAssessed").length).toBeGreaterThan(SESSIONS / 2);
    const rows = await everything(db);
    const kept = await rowsKept(db, ids);
    expect(kept).toMatchObject({ rows: SESSIONS, tables: { session_ids: SESSIONS } });
    expect(kept.bytes).toBeLessThanOrEqual(64);

    const unchanged = async (): Promise<void> => {
      await settled();
      expect(await eventsIn(log, ...DERIVED)).toEqual(derived);
      expect(await everything(db)).toEqual(rows);
      expect(await rowsKept(db, ids)).toEqual(kept);
    };
    expect(await imported()).toMatchObject({ sessions: 0, events: 0, skippedSessions: SESSIONS });
    await unchanged();
    // As an append would leave it whose answer was lost, and an owner that was taken over.
    await log.append(facts.map(alreadyMasked));
    await log.append(derived.map(alreadyMasked));
    await unchanged();

    let taken = 0;
    const late = await log.consume({ group: "late", topics: LIVE_TOPICS }, async (batch) => {
      taken += batch.length;
    });
    onTestFinished(() => late.stop());
    await log.caughtUp("late", await log.ends(LIVE_TOPICS), { timeoutMs: LIMIT_MS });
    expect(taken).toBe((await eventsIn(log, ...LIVE_TOPICS)).length);
    await unchanged();

    await asBefore(open, ids);
    expect((await rowsKept(db, ids)).rows).toBe(SESSIONS * 3);
    expect((await rebuild(open, { derived: true })).derived).toMatchObject({ published: 0 });
    await unchanged();
    expect(await imported()).toMatchObject({ sessions: 0, events: 0, skippedSessions: SESSIONS });
    await unchanged();
  });
});
