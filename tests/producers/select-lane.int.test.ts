import { afterEach, expect, test } from "vitest";
import { openaiModel } from "../../models/openai.ts";
import type { HistoryEntry } from "../../producers/lanes/history.ts";
import { defaultTriage } from "../../producers/triage/default-triage.ts";
import { type Answer, completion, json, type ModelServer, startModelServer } from "../models/model-server.ts";
import { names, only } from "../recording/memory-log.ts";
import { run, startRoles } from "./sessions.ts";

const servers: ModelServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

const HISTORY: HistoryEntry[] = [0.3, 0.9, 0.8].map((score) => ({
  score,
  studentLearning: "x".repeat(5000),
}));

/** A session whose lane is chosen by a probe that replies like this; in the lane auto, so that no plan is needed. */
async function probing(reply: string | Answer, options: Parameters<typeof run>[0] | object = {}) {
  const answer: Answer =
    typeof reply === "string" ? (_, response) => json(response, completion(reply)) : reply;
  const server = await startModelServer(answer);
  servers.push(server);
  const probe = openaiModel({
    model: "probe",
    baseUrl: server.url,
    maxRetries: 0,
    timeoutMs: typeof reply === "string" ? undefined : 300,
    provider: "local",
  });
  const roles = await startRoles();
  const session = { executionMode: "single_shot" as const, history: async () => HISTORY, ...options };
  const lane = { probe, ...("lane" in options ? (options.lane as object) : {}) };
  const { result, events } = await run({ ...roles, ...session, lane });
  return { result, events, server, selected: only(events, "LaneSelected") };
}

test.each([
  ['{"mode": "auto", "confidence": 0.1}', "auto", 0.1],
  ['{"mode": "COACH", "confidence": null}', "coach", null],
  ['{"mode": null, "confidence": 0.85}', "auto", 0.85],
  ['{"mode": "escalate", "confidence": 0.65}', "paired", 0.65],
  ['{"confidence": 0.64}', "coach", 0.64],
  ['{"confidence": -3}', "coach", 0],
  ['{"mode": "paired", "confidence": 17}', "paired", 1],
])("a probe that says %s leads to %s", async (reply, lane, confidence) => {
  const { selected, result, events } = await probing(reply);
  expect(selected).toMatchObject([{ lane, reason: "capability_probe", confidence }]);
  expect(JSON.parse(selected[0]!.probe!)).toMatchObject({ confidence });
  expect(result).toMatchObject({ status: "succeeded", lane });
  expect(result.tokens.byRole.probe).toMatchObject({ calls: 1, total: 18 });
  expect(only(events, "ModelCallStarted")[0]).toMatchObject({ role: "probe", prompt_version: "probe.v1" });
});

test.each<[string, string | Answer, RegExp]>([
  ["replies in prose", "easy!", /not JSON/],
  ["names nothing", "{}", /neither a lane nor a confidence/],
  ["has a confidence that is no number", '{"confidence": "high"}', /confidence/],
  ["fails", (_, response) => json(response, {}, 500), /ATLAS_MODEL_UNAVAILABLE/],
  ["never answers", () => {}, /ATLAS_MODEL_UNAVAILABLE/],
])("a probe that %s leads to the fallback, and the session goes on", async (_, reply, why) => {
  const { selected, result } = await probing(reply, { lane: { fallback: "auto" } });
  expect(selected).toMatchObject([{ lane: "auto", reason: "probe_failed", confidence: null }]);
  expect(JSON.parse(selected[0]!.probe!).error).toMatch(why);
  expect(result.status).toBe("succeeded");
});

test("thresholds are the caller's where told", async () => {
  const lane = { thresholds: { auto: 0.3, paired: 0.2 } };
  const { selected } = await probing('{"confidence": 0.3}', { lane });
  expect(selected).toMatchObject([{ lane: "auto" }]);
});

test.each([
  ["forced", { forced: "auto", adaptive: false, override: "coach" }, "auto", "forced"],
  ["not adaptive", { adaptive: false, override: "auto" }, "paired", "adaptive_disabled"],
  ["overridden", { override: "auto" }, "auto", "override"],
])("a lane that is %s asks no probe", async (_, lane, expected, reason) => {
  const { selected, server } = await probing('{"mode": "coach"}', { lane });
  expect(selected).toMatchObject([{ lane: expected, reason, probe: null }]);
  expect(server.requests).toEqual([]);
});

test("without history, or with one that fails, the lane is paired and no probe is asked", async () => {
  const broken = async () => Promise.reject(new Error("no database"));
  for (const [history, reason] of [
    [undefined, "no_learning_history"],
    [async () => [], "no_learning_history"],
    [broken, "history_unavailable"],
  ] as const) {
    const { selected, server, result } = await probing('{"mode": "auto"}', { history });
    expect(selected).toMatchObject([{ lane: "paired", reason }]);
    expect(server.requests).toEqual([]);
    expect(result.status).toBe("succeeded");
  }
});

test("with history but without a probe, the lane is the fallback", async () => {
  const { selected } = await probing("", { lane: { probe: undefined, fallback: "auto" } });
  expect(selected).toMatchObject([{ lane: "auto", reason: "probe_disabled" }]);
});

test("the probe sees the task, the dossier and a bounded history, asked for by learning key", async () => {
  const keys: string[] = [];
  const history = async (key: string) => {
    keys.push(key);
    return HISTORY;
  };
  const { server, result } = await probing('{"mode": "auto"}', {
    history,
    lane: { historyLimit: 2 },
    metadata: { risks: [{ description: "data loss", severity: "P0" }] },
  });
  expect(keys).toEqual([result.learningKey]);
  const [, user] = server.requests[0]!.body["messages"] as { content: string }[];
  const shown = JSON.parse(user!.content);
  expect(shown).toMatchObject({
    task: "Say hello",
    dossier: { risks: [{ category: "general", description: "data loss", severity: "critical" }] },
    learning_history: {
      count: 2,
      total_count: 3,
      scores: [0.9, 0.8],
      recent_high_score_streak: 2,
      recent_low_score_streak: 0,
      limit: 2,
    },
  });
  expect(shown.learning_history.average_score).toBeCloseTo(0.85);
  expect(shown.learning_history.overall_average_score).toBeCloseTo(2 / 3);
  expect(shown.learning_history.entries[0].student_learning.length).toBeLessThan(1100);
});

test("a triage adapter's dossier is recorded before the lane, with its name", async () => {
  const roles = await startRoles();
  async function sre(task: string, metadata: Readonly<Record<string, unknown>>) {
    return {
      task,
      summary: `${metadata["service"]} is down`,
      risks: [{ description: "outage", severity: "sev1" }],
    };
  }
  const { events } = await run({ ...roles, triage: sre, metadata: { service: "billing" } });
  expect(names(events).slice(0, 3)).toEqual(["SessionStarted", "TaskTriaged", "LaneSelected"]);
  const [triaged] = only(events, "TaskTriaged");
  expect(triaged?.adapter).toBe("sre");
  expect(JSON.parse(triaged!.dossier)).toMatchObject({
    summary: "billing is down",
    risks: [{ category: "general", severity: "high" }],
    tags: [],
  });
});

test.each([
  [
    "throws",
    () => {
      throw new Error("no incident");
    },
    "custom: no incident",
  ],
  ["hands over no dossier", () => ({ summary: 7 }) as never, "summary: "],
])("an adapter that %s is replaced by the default one, which says so", async (_, triage, why) => {
  const roles = await startRoles();
  const { result, events } = await run({ ...roles, triage, metadata: { description: "hi", ticket: 7 } });
  expect(result.status).toBe("succeeded");
  const [triaged] = only(events, "TaskTriaged");
  expect(triaged?.adapter).toBe("default");
  expect(JSON.parse(triaged!.dossier)).toMatchObject({
    summary: "hi",
    metadata: { ticket: 7, triage_failure: expect.stringContaining(why) },
  });
});

test("the default adapter lifts what has the form of a dossier's part, and keeps the rest", () => {
  const signals = [{ name: "cpu", value: 0.9 }];
  expect(defaultTriage("t", { signals, tags: "sre", embeddings: { a: { vector: [1] } }, x: 1 })).toEqual({
    task: "t",
    summary: "t",
    signals,
    embeddings: { a: { vector: [1] } },
    metadata: { tags: "sre", x: 1 },
  });
});
