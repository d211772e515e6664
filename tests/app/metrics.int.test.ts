import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import type { Atlas } from "../../app/open-atlas.ts";
import {
  type MeasuredWorker,
  measureWorker,
  type WorkerMetricsOptions,
} from "../../worker/worker-metrics.ts";
import { serveWorker } from "../../worker/worker-server.ts";
import { WorkerStatus } from "../../worker/worker-status.ts";
import { startAtlas, userFolder } from "../cli/from-source.ts";
import { eventually, LIMIT_MS } from "../eventually.ts";
import { driftFact, rewardFact } from "../sinks/alerts-facts.ts";
import { startReceiver } from "../sinks/alerts-receiver.ts";
import { judgedSession } from "./judged.ts";
import { folderForTest, opened } from "./opened.ts";

const OPERATIONS = join(import.meta.dirname, "../../docs/operations");

async function measured(atlas: Atlas, options: WorkerMetricsOptions = {}): Promise<MeasuredWorker> {
  const worker = await measureWorker(atlas, { keepMs: 0, ...options });
  onTestFinished(() => worker.stop());
  return worker;
}

/** Samples by what stands before their value. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(" ")),
      Number(line.slice(line.lastIndexOf(" ") + 1)),
    ]),
  );
}

const sumOf = (samples: Map<string, number>, start: string): number =>
  [...samples].reduce((sum, [name, value]) => sum + (name.startsWith(start) ? value : 0), 0);

test("a worker shows what it applied, what lags, rewards, drift, sessions, review and deliveries", async () => {
  const receiver = await startReceiver();
  let worker: MeasuredWorker | undefined;
  const atlas = await opened(
    folderForTest(),
    { alerts: [{ type: "webhook", name: "pager", url: receiver.url, allowPrivate: true }] },
    { onDelivery: (destination, outcome) => worker?.delivery(destination, outcome) },
  );
  const rulesHash = await atlas.rules.ensure(atlas.config.rules);
  await atlas.log.append(judgedSession(1, { outcome: 0.7 }, rulesHash).map(atlas.log.mask));
  worker = await measured(atlas);
  await atlas.log.append(
    [
      driftFact(),
      driftFact({ direction: "improvement" }),
      driftFact({ alert: false }),
      driftFact({}, { branch: "stricter" }),
      driftFact({}, { revision: 2 }),
      rewardFact(0.25),
      rewardFact(0.95),
      rewardFact(0.95, { ageHours: 400 }),
    ].map(atlas.log.mask),
  );
  await atlas.settled();
  for (const group of ["metrics", "alerts"])
    await atlas.log.caughtUp(group, await atlas.log.ends(["atlas.rewards", "atlas.drift"]), {
      timeoutMs: LIMIT_MS,
    });
  await eventually(() => expect(receiver.received).toHaveLength(1));
  await eventually(async () => {
    const samples = samplesOf(await worker!.scrape());
    expect(samples.get('atlas_alert_deliveries_total{destination="pager",outcome="delivered"}')).toBe(1);
  });
  const text = await worker.scrape();
  const samples = samplesOf(text);
  const expected: Record<string, number> = {
    atlas_log_up: 1,
    'atlas_drift_alerts_total{direction="decline"}': 1,
    'atlas_drift_alerts_total{direction="improvement"}': 1,
    'atlas_session_reward_ratio_bucket{le="0.3"}': 1,
    atlas_session_reward_ratio_count: 2,
    'atlas_sessions{status="succeeded"}': 1,
    'atlas_review_sessions{status="pending"}': 1,
    'atlas_review_sessions{status="quarantined"}': 0,
    'atlas_alert_deliveries{destination="pager",status="pending"}': 0,
    'atlas_alert_deliveries{destination="pager",status="failed"}': 0,
  };
  expect(Object.fromEntries(Object.keys(expected).map((name) => [name, samples.get(name)]))).toEqual(
    expected,
  );
  expect(sumOf(samples, "atlas_consumer_lag_records")).toBe(0);
  const applied = (group: string) => sumOf(samples, `atlas_events_applied_total{group="${group}"`);
  const ends = await atlas.log.ends(["atlas.rewards", "atlas.drift"]);
  const records = [...ends.values()].flat().reduce((sum, end) => sum + end, 0);
  expect(applied("metrics")).toBe(records);
  expect(applied("alerts")).toBeGreaterThanOrEqual(records);
  expect(applied("read-models")).toBeGreaterThan(records);
  expect(samples.has("process_cpu_seconds_total")).toBe(true);
  // Nothing of a session, and no learning key, is a label.
  expect(text).not.toMatch(/reviews|[0-9a-f]{8}-[0-9a-f]{4}/);
});

test("learning keys are labels where they were named, and all others are one", async () => {
  const atlas = await opened(folderForTest());
  const worker = await measured(atlas, { learningKeys: ["reviews"] });
  await atlas.log.append(
    [
      driftFact(),
      rewardFact(0.5),
      ...Array.from({ length: 20 }, (_, index) => driftFact({}, { learningKey: `key-${index}` })),
    ].map(atlas.log.mask),
  );
  await atlas.log.caughtUp("metrics", await atlas.log.ends(["atlas.rewards", "atlas.drift"]), {
    timeoutMs: LIMIT_MS,
  });
  const samples = samplesOf(await worker.scrape());
  expect(samples.get('atlas_drift_alerts_total{direction="decline",learning_key="reviews"}')).toBe(1);
  expect(samples.get('atlas_drift_alerts_total{direction="decline",learning_key="other"}')).toBe(20);
  expect(samples.get('atlas_session_reward_ratio_count{learning_key="reviews"}')).toBe(1);
});

test("/metrics and /healthz answer beside each other, and nothing else does", async () => {
  const atlas = await opened(folderForTest());
  const worker = await measured(atlas);
  const status = new WorkerStatus();
  const server = await serveWorker(
    { host: "127.0.0.1", port: 0 },
    { health: () => status.health(atlas), metrics: worker, token: undefined, loopback: true },
  );
  onTestFinished(() => server.close());
  const health = await fetch(`${server.url}/healthz`);
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({ status: "ok" });
  const metrics = await fetch(`${server.url}/metrics?x=1`);
  expect(metrics.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(await metrics.text()).toContain("# TYPE atlas_session_reward_ratio histogram");
  expect((await fetch(`${server.url}/other`)).status).toBe(404);
});

test("without the database, what the process knows by itself is shown still", async () => {
  const atlas = await opened(folderForTest());
  const worker = await measured(atlas);
  await worker.stop();
  await atlas.close();
  const samples = samplesOf(await worker.scrape());
  expect(samples.get("atlas_log_up")).toBe(0);
  expect(samples.has("process_cpu_seconds_total")).toBe(true);
});

test("`atlas worker` serves them", async () => {
  const folder = userFolder();
  const { child, ended } = startAtlas(folder, ["worker", "--port", "0", "--label-learning-key", "a"]);
  let told = "";
  child.stderr!.on("data", (text: string) => {
    told += text;
  });
  await eventually(() => expect(told).toContain("/metrics"));
  const url = /metrics at ([^\s,]+)/.exec(told)![1]!;
  expect(await (await fetch(url)).text()).toContain('learning_key="a"');
  child.kill("SIGTERM");
  expect(await ended).toMatchObject({ code: 0, stdout: "" });
  const entries = told
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(entries.map(({ level, component, code }) => [level, component, code])).toEqual([
    ["info", "worker", "ATLAS_WORKER_STARTED"],
    ["info", "worker", "ATLAS_WORKER_STOPPING"],
  ]);
});

test("alert rules use metrics that a worker has, and every metric is documented", async () => {
  const atlas = await opened(folderForTest());
  const worker = await measured(atlas);
  const text = await worker.scrape();
  const names = [...text.matchAll(/^# TYPE (atlas_\w+)/gm)].map((match) => match[1]!);
  const page = readFileSync(join(OPERATIONS, "worker.md"), "utf8");
  expect(names.filter((name) => !page.includes(`\`${name}`))).toEqual([]);

  const rules = parse(readFileSync(join(OPERATIONS, "prometheus-rules.yaml"), "utf8")) as {
    groups: { name: string; rules: { alert: string; expr: string; annotations: object }[] }[];
  };
  const all = rules.groups.flatMap((group) => group.rules);
  expect(new Set(all.map(({ alert }) => alert)).size).toBe(all.length);
  for (const { expr, annotations } of all) {
    const used = [...expr.matchAll(/\batlas_\w+/g)].map(([name]) => name.replace(/_(sum|count|bucket)$/, ""));
    expect(used.filter((name) => !names.includes(name))).toEqual([]);
    expect(Object.keys(annotations)).toEqual(["summary", "description"]);
  }
});
