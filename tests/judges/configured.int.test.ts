import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { configuredPanel } from "../../app/configured-judges.ts";
import { diagnose } from "../../app/doctor.ts";
import type { Atlas } from "../../app/open-atlas.ts";
import type { ConfigInput } from "../../configs/config-schema.ts";
import { loadConfig } from "../../configs/load-config.ts";
import { isAtlasError } from "../../errors/atlas-error.ts";
import { defineJudge } from "../../judges/define-judge.ts";
import type { FunctionJudge, ModelJudge } from "../../judges/judge.ts";
import { modelJudge } from "../../judges/model-judge.ts";
import { functionAgent } from "../../producers/agents/function-agent.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import { folderForTest, opened } from "../app/opened.ts";
import { eventsOf } from "../as-readers.ts";

const agent = functionAgent(() => "forty-two", { name: "mine" });
const teacher = simulatedModel();
const simulated = { provider: "simulated", model: "simulated" } as const;

function offline(): void {
  process.env["ATLAS_OFFLINE_MODE"] = "1";
  onTestFinished(() => void delete process.env["ATLAS_OFFLINE_MODE"]);
}

const refusal = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "nothing was refused",
    (error: unknown) => (isAtlasError(error) ? `${error.code}: ${error.message}` : String(error)),
  );

test("each key of the block makes its judges", async () => {
  const folder = folderForTest();
  writeFileSync(join(folder, "tests.mjs"), "export const passed = () => 1;\n");
  const file = join(folder, "atlas.yaml");
  writeFileSync(
    file,
    `
judges:
  small_model: {provider: simulated, model: s}
  large_model: {provider: simulated, model: l}
  temperatures: [0, null]
  spread_threshold: 0.05
  uncertainty_threshold: 0.5
  parallel: 7
  list:
    - {name: process, scope: both, weight: 2}
    - {name: style, prompt: Whether it is brief., focus: Mind the tone.}
    - {name: off, prompt: p, enabled: false}
    - {name: tests, type: function, import_path: ./tests.mjs, attribute: passed, timeout_seconds: 2}
    - {name: frugal, type: tool_call_budget, max: 3, scope: step}
    - {name: cites, type: regex, pattern: X, flags: i, expect: no_match}
`,
  );
  const config = loadConfig(file, {});
  const { judges, parallel } = await configuredPanel(config, undefined);
  expect(judges.map(({ name, kind, scope, weight }) => [name, kind, scope, weight])).toEqual([
    ["process", "model", "both", 2],
    ["style", "model", "session", undefined],
    ["tests", "function", "session", undefined],
    ["frugal", "function", "step", undefined],
    ["cites", "function", "session", undefined],
  ]);
  expect(parallel).toBe(7);
  const [process, style, tests] = judges as [ModelJudge, ModelJudge, FunctionJudge];
  expect(process).toMatchObject({
    temperatures: [0, null],
    spreadThreshold: 0.05,
    uncertaintyThreshold: 0.5,
  });
  expect(process.large).toBeDefined();
  expect(style.prompts.session.text).toContain("Whether it is brief.");
  expect(style.prompts.session.text).toContain("Mind the tone.");
  expect(style.prompts.session.version).toMatch(/^custom-judge\.v1\+[0-9a-f]{12}\+[0-9a-f]{12}$/);
  expect(tests.timeoutMs).toBe(2000);
  expect(config.rules.rubric.weights).toEqual({ process: 2 });
});

test("what a judge's module does not hold is told before a run begins", async () => {
  const folder = folderForTest();
  writeFileSync(join(folder, "five.mjs"), "export default 5;\n");
  const atlas = await opened(folder, {
    judges: { list: [{ name: "tests", type: "function", importPath: join(folder, "five.mjs") }] },
  } as Omit<ConfigInput, "log">);
  const said = await refusal(atlas.run({ task: "t", agent, teacher }));
  expect(said).toBe("ATLAS_CONFIG_INVALID: the export for the judge tests is no function");
  expect(await eventsOf(atlas.log, "atlas.sessions", "SessionStarted")).toEqual([]);
});

test("offline, configured judges are simulated, and the session says so", async () => {
  offline();
  const model = { provider: "openai", model: "gpt-5-mini" } as const;
  const atlas = await opened(folderForTest(), {
    judges: { smallModel: model, largeModel: model },
  } as Omit<ConfigInput, "log">);
  const result = await atlas.run({ task: "t", agent, teacher });
  expect(result.simulated).toBe(true);
  expect(result.reward?.score).toBeGreaterThan(0);
  await atlas.settled();
  const made = await eventsOf(atlas.log, "atlas.sessions", "JudgementMade");
  expect(new Set(made.map(({ judge }) => judge))).toEqual(new Set(["process", "helpfulness", "efficiency"]));
  expect(made).toHaveLength(9);
});

test("a run's own judges go before the configured ones, with their weights", async () => {
  const atlas = await opened(folderForTest(), { judges: { smallModel: simulated } } as Omit<
    ConfigInput,
    "log"
  >);
  const judges = [
    defineJudge({ name: "one", weight: 3, judge: () => 1 }),
    defineJudge({ name: "zero", judge: () => 0 }),
  ];
  const result = await atlas.run({ task: "t", agent, teacher, judges });
  expect(result.reward?.score).toBe(0.75);
  await atlas.settled();
  const [rewarded] = await eventsOf(atlas.log, "atlas.rewards", "SessionRewarded");
  expect(rewarded).toMatchObject({ score: 0.75, judges: [{ judge: "one", weight: 3 }, { judge: "zero" }] });
});

test("judges that do not go together are refused before a run begins", async () => {
  const full = await opened(folderForTest());
  const one = defineJudge({ name: "one", judge: () => 1 });
  const run = (atlas: Atlas, more: object) => refusal(atlas.run({ task: "t", agent, teacher, ...more }));
  expect(await run(full, { judges: [one, one] })).toBe("ATLAS_RUN_INVALID: two judges are named one");
  expect(await run(full, { judges: [] })).toBe("ATLAS_RUN_INVALID: the list of judges is empty");
  expect(await run(full, { judges: [one], judge: teacher })).toMatch(
    /^ATLAS_RUN_INVALID: .*either a judge or judges/,
  );
  expect(() => modelJudge({ name: "taste", small: teacher })).toThrow("a judge named taste needs a prompt");
  expect(() => modelJudge({ name: "process", small: teacher, temperatures: [] })).toThrow("temperature");
  expect(() => modelJudge({ name: "process", small: teacher, spreadThreshold: 2 })).toThrow(
    "between 0 and 1",
  );
  expect(await eventsOf(full.log, "atlas.sessions", "SessionStarted")).toEqual([]);

  const blind = await opened(folderForTest(), { capture: { level: "no-content" } });
  expect(await run(blind, { judges: [modelJudge({ name: "process", small: teacher })] })).toMatch(
    /^ATLAS_RUN_INVALID: the capture level no-content hides/,
  );
  expect(await run(blind, { judges: [one] })).toBe("nothing was refused");
});

test("doctor looks at the judges' models too", async () => {
  const config = loadConfig(
    {
      log: { kind: "embedded", path: join(folderForTest(), "none") },
      judges: {
        smallModel: { provider: "openai", model: "m", baseUrl: "http://127.0.0.1:9/v1" },
        largeModel: simulated,
      },
    },
    {},
  );
  const findings = await diagnose(config);
  expect(findings).toContainEqual(
    expect.objectContaining({ name: "model of the judges' samples", status: "broken" }),
  );
  expect(findings).toContainEqual(
    expect.objectContaining({ name: "model of the judges' arbitration", status: "warning" }),
  );
});
