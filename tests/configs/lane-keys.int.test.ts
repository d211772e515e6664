import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { configuredAgent } from "../../app/configured-agent.ts";
import { type RunOptions, runResolver } from "../../app/run-options.ts";
import type { ConfigInput } from "../../configs/config-schema.ts";
import { loadConfig } from "../../configs/load-config.ts";
import { TRIAGE_TEMPLATES, triageStarter } from "../../configs/triage-starter.ts";
import type { History } from "../../producers/lanes/history.ts";
import { completion, json, startModelServer } from "../models/model-server.ts";
import { planningStudent } from "../producers/lanes.ts";
import { INVALID, run, startRoles, VALID } from "../producers/sessions.ts";
import { only } from "../recording/memory-log.ts";
import { sideBySide } from "../side-by-side.ts";

afterEach(() => vi.unstubAllEnvs());

const HISTORY: History = async () => [0.2, 0.9, 0.8].map((score) => ({ score }));

function folderForTest(): string {
  const folder = mkdtempSync(join(tmpdir(), "atlas-keys-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

type Roles = Awaited<ReturnType<typeof startRoles>>;

/** What came of a run of a configuration, with these roles and an earlier history. */
async function ran(config: ConfigInput, given: Roles | undefined, options: Partial<RunOptions> = {}) {
  const { agent, teacher, judge } = given ?? (await startRoles());
  const resolve = runResolver(loadConfig(config, {}), HISTORY);
  return run(await resolve({ task: "Say hello", agent, teacher, judge, ...options }));
}

const laneOf = async (config: ConfigInput, options: Partial<RunOptions> = {}) => {
  const { events } = await ran(
    { ...config, orchestration: { executionMode: "single_shot" } },
    undefined,
    options,
  );
  const [selected] = only(events, "LaneSelected");
  return `${selected?.lane} ${selected?.reason}`;
};

/** A probe behind a server that says this, and what it was asked. */
async function startProbe(reply: object) {
  const server = await startModelServer((_, response) => json(response, completion(JSON.stringify(reply))));
  onTestFinished(() => server[Symbol.asyncDispose]());
  const shown = () =>
    JSON.parse((server.requests.at(-1)!.body["messages"] as { content: string }[])[1]!.content);
  return { probe: { model: "p", baseUrl: server.url, retries: 0 }, server, shown };
}

test("lane: nothing said, forced, not adaptive, overridden, the fallback", async () => {
  expect(await laneOf({})).toBe("paired default");
  expect(await laneOf({ lane: { forced: "auto", adaptive: false } })).toBe("auto forced");
  expect(await laneOf({ lane: { adaptive: false, override: "auto" } })).toBe("paired adaptive_disabled");
  expect(await laneOf({ lane: { override: "auto", fallback: "coach" } })).toBe("auto override");
  expect(await laneOf({ lane: { fallback: "auto" } })).toBe("auto probe_disabled");
});

test("lane.probe chooses by lane.thresholds, and sees lane.history_limit sessions", async () => {
  vi.stubEnv("OPENAI_API_KEY", "sk-test");
  const { probe, shown } = await startProbe({ confidence: 0.5 });
  expect(await laneOf({ lane: { probe } })).toBe("coach capability_probe");
  expect(shown().learning_history).toMatchObject({ count: 3, limit: 10, scores: [0.2, 0.9, 0.8] });
  const thresholds = { auto: 0.5, paired: 0.1 };
  expect(await laneOf({ lane: { probe, thresholds, historyLimit: 2 } })).toBe("auto capability_probe");
  expect(shown().learning_history).toMatchObject({ count: 2, limit: 2, recent_high_score_streak: 2 });
  expect(await laneOf({ lane: { probe, thresholds: { paired: 0.4 } } })).toBe("paired capability_probe");
});

test("what a run says of its lane goes before the configuration, key by key", async () => {
  vi.stubEnv("OPENAI_API_KEY", "sk-test");
  const { probe } = await startProbe({ mode: "auto" });
  const config = { lane: { forced: "coach" as const, probe } };
  expect(await laneOf(config, { lane: { forced: "auto" } })).toBe("auto forced");
  expect(await laneOf(config, { lane: { forced: undefined } })).toBe("auto capability_probe");
});

test("orchestration.execution_mode: one for all lanes, or one for a lane", async () => {
  const stepsOf = async (orchestration: ConfigInput["orchestration"], forced: "auto" | "coach") => {
    const student = planningStudent([
      { id: 1, description: "a" },
      { id: 2, description: "b" },
    ]);
    const { events } = await ran({ orchestration, lane: { forced } }, await startRoles({ student }));
    return only(events, "StepEnded").length;
  };
  expect(await stepsOf({}, "auto")).toBe(1);
  expect(await stepsOf({ executionMode: "stepwise" }, "auto")).toBe(2);
  expect(await stepsOf({ executionMode: { auto: "stepwise", coach: "single_shot" } }, "auto")).toBe(2);
  expect(await stepsOf({ executionMode: { auto: "stepwise", coach: "single_shot" } }, "coach")).toBe(1);
  expect(await stepsOf({ executionMode: { auto: "stepwise" } }, "coach")).toBe(2);
});

test("orchestration.concurrency: so many steps at a time, and no more", async () => {
  const mostOf = async (concurrency: number | undefined) => {
    const steps = sideBySide(concurrency ?? 4, 6);
    const plan = [1, 2, 3, 4, 5, 6].map((id) => ({ id, description: `step ${id}` }));
    const student = planningStudent(plan, steps.work);
    const orchestration = { executionMode: "stepwise" as const, ...(concurrency && { concurrency }) };
    await ran({ orchestration, lane: { forced: "auto" } }, await startRoles({ student }));
    return steps.most;
  };
  expect(await mostOf(1)).toBe(1);
  expect(await mostOf(2)).toBe(2);
  expect(await mostOf(undefined)).toBe(4);
});

test("orchestration.max_retries", async () => {
  const attemptsOf = async (maxRetries: number | undefined) => {
    const orchestration = maxRetries === undefined ? {} : { maxRetries };
    const { events } = await ran({ orchestration }, await startRoles({ teacher: [INVALID] }));
    return only(events, "AttemptStarted").length;
  };
  expect(await attemptsOf(0)).toBe(1);
  expect(await attemptsOf(undefined)).toBe(2);
  expect(await attemptsOf(3)).toBe(4);
});

test.each([
  ["deadline_seconds", { deadlineSeconds: 0.3 }, "the session took longer than 300 ms"],
  ["model_timeout_seconds", { modelTimeoutSeconds: 0.25 }, "250 ms"],
  ["step_timeout_seconds", { stepTimeoutSeconds: 0.2 }, "step 1 took longer than 200 ms"],
])("orchestration.%s", async (_, orchestration, words) => {
  const { result } = await ran({ orchestration }, await startRoles({ student: () => {} }));
  expect(result.status).toBe("failed");
  expect(result.error?.message).toContain(words);
});

test("orchestration.verdict_cache: runs of one configuration ask the teacher once about the same answer", async () => {
  const askedOf = async (verdictCache: number) => {
    const { agent, teacher, judge, asked } = await startRoles({ teacher: [VALID] });
    const resolve = runResolver(loadConfig({ orchestration: { verdictCache } }, {}), HISTORY);
    for (const _ of [1, 2]) await run(await resolve({ task: "t", agent, teacher, judge }));
    return asked("teacher").length;
  };
  expect(await askedOf(0)).toBe(2);
  expect(await askedOf(10)).toBe(1);
});

test("project, tenant, tags, metadata and learning_key are those of each session; a run's own are added or go before", async () => {
  const config = {
    project: "p",
    tenant: "t",
    tags: ["nightly", "a"],
    metadata: { team: "sre", camelKey: 1 },
    learningKey: "k",
  };
  const startedOf = async (options: Partial<RunOptions>) => {
    const { events } = await ran(config, undefined, options);
    const [{ project, tenant, tags, metadata, learning_key } = {}] = only(events, "SessionStarted");
    return { project, tenant, tags, metadata: JSON.parse(metadata!), learning_key };
  };
  expect(await startedOf({ project: undefined })).toEqual({
    project: "p",
    tenant: "t",
    tags: ["nightly", "a"],
    metadata: { team: "sre", camelKey: 1 },
    learning_key: "k",
  });
  const own = { project: "q", tenant: "u", tags: ["b", "a"], metadata: { team: "web" }, learningKey: "l" };
  expect(await startedOf(own)).toEqual({
    project: "q",
    tenant: "u",
    tags: ["nightly", "a", "b"],
    metadata: { team: "web", camelKey: 1 },
    learning_key: "l",
  });
});

const METADATA = {
  sre: { service: "billing", impact: "p1", alerts: ["cpu"], recent_changes: ["a", "b"] },
  support: { customer: { name: "Acme", tier: "enterprise" }, sentiment: -0.5 },
  code: { repo: "web", failing_tests: ["login"] },
  generic: { area: "billing", urgent: true },
};

test.each(TRIAGE_TEMPLATES.flatMap((template) => [[template, "mjs"] as const, [template, "ts"] as const]))(
  "triage: the starter for %s, as .%s, and its dossier reaches the probe",
  async (template, ending) => {
    vi.stubEnv("OPENAI_API_KEY", "sk-test");
    const file = join(folderForTest(), `triage.${ending}`);
    writeFileSync(file, triageStarter(template, ending === "ts"));
    const { probe, shown } = await startProbe({ mode: "auto" });
    const config = { triage: { importPath: file }, lane: { probe } };
    const { events } = await ran(config, undefined, { metadata: METADATA[template] });
    const [triaged] = only(events, "TaskTriaged");
    expect(triaged?.adapter).toBe(`${template}Triage`);
    const { dossier } = shown();
    expect(dossier.risks[0].severity).toBe("high");
    expect(dossier.fingerprint_hint).toContain(`${template}::`);
    const bare = await ran(config, undefined);
    expect(only(bare.events, "TaskTriaged")[0]?.adapter).toBe(`${template}Triage`);
  },
);

test.each([
  ["does not exist", undefined, "default", /cannot be loaded/],
  ["throws when loaded", "throw new Error('no key')", "default", /no key/],
  ["has no such export", "export const triage = () => {};", "default", /no triage adapter of that name/],
  ["exports no function", "export default 5;", "default", /no function/],
])(
  "triage: a module that %s costs a warning, and the default adapter describes the task",
  async (_, text, __, why) => {
    const file = join(folderForTest(), "triage.mjs");
    if (text !== undefined) writeFileSync(file, text);
    const warned: string[] = [];
    const spy = vi
      .spyOn(process, "emitWarning")
      .mockImplementation((warning) => void warned.push(String(warning)));
    onTestFinished(() => spy.mockRestore());
    const { events, result } = await ran({ triage: { importPath: file } }, undefined);
    expect(result.status).toBe("succeeded");
    const [triaged] = only(events, "TaskTriaged");
    expect(triaged?.adapter).toBe("default");
    expect(JSON.parse(triaged!.dossier).metadata.triage_failure).toMatch(why);
    expect(warned).toEqual([
      expect.stringMatching(/^triage: the default triage adapter describes tasks: ATLAS_CONFIG_INVALID: /),
    ]);
  },
);

const REGISTRY = pathToFileURL(join(import.meta.dirname, "../../app/main.ts")).href;

/** A configuration beside a module that registers a kind of agent. */
function withPlugin(factory: string, agent: string) {
  const folder = folderForTest();
  const kind = `kind${folder.slice(-6)}`;
  const text = `import { defineAgent, registerAgent } from ${JSON.stringify(REGISTRY)};\nregisterAgent("${kind}", ${factory});`;
  writeFileSync(join(folder, "plugin.mjs"), text);
  writeFileSync(join(folder, "atlas.yaml"), `plugins: [./plugin.mjs]\n${agent.replace("KIND", kind)}\n`);
  return { ...loadConfig(join(folder, "atlas.yaml"), {}), kind };
}

test("plugins: a module registers a kind of agent, and gets its settings", async () => {
  const factory = `({ endpoint, my_key }) =>
    defineAgent({ name: "mine", kind: "mine", invoke: ({ task }) => endpoint + my_key + task })`;
  const { agent, plugins } = withPlugin(factory, "agent: {type: KIND, settings: {endpoint: e, my_key: 1}}");
  const working = await configuredAgent(agent!, plugins);
  const { teacher, judge } = await startRoles();
  const { result, events } = await run({ agent: working, teacher, judge });
  expect(result.finalAnswer).toBe("e1Say hello");
  expect(only(events, "SessionStarted")).toMatchObject([{ agent: "mine", agent_kind: "mine" }]);
});

test("plugins that register nothing, make no agent or cannot be loaded are told by their key", async () => {
  const none = withPlugin("() => 5", "agent: {type: another}");
  await expect(configuredAgent(none.agent!, none.plugins)).rejects.toThrow(
    /registers agents of the kind another/,
  );
  const odd = withPlugin("() => 5", "agent: {type: KIND}");
  await expect(configuredAgent(odd.agent!, odd.plugins)).rejects.toThrow(/made no agent/);
  await expect(configuredAgent(odd.agent!, ["/nowhere/p.mjs"])).rejects.toMatchObject({
    code: "ATLAS_CONFIG_INVALID",
    message: expect.stringContaining("the module of plugins[0] cannot be loaded"),
  });
});
