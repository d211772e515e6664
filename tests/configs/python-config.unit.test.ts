import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../configs/load-config.ts";
import { messageOf } from "../../errors/atlas-error.ts";

const folder = mkdtempSync(join(tmpdir(), "atlas-python-config-"));
let files = 0;

function load(text: string) {
  files += 1;
  const path = join(folder, `config-${files}.yaml`);
  writeFileSync(path, text);
  const warnings: string[] = [];
  const config = loadConfig(path, {}, (warning) => warnings.push(warning.replace(`${folder}/`, "")));
  return { config, warnings, named: warnings.map((warning) => warning.split(" ")[0]) };
}

const WHOLE = `
agent:
  type: litellm
  name: sre
  system_prompt: You mend things.
  tools: [{name: search, description: d, parameters: {type: object}}]
  llm:
    provider: gemini
    model: gemini/gemini-2.5-flash
    api_key_env: MY_KEY
    temperature: 0.1
    top_p: 0.9
    max_output_tokens: 512
    timeout_seconds: 90
    retry: {attempts: 3, backoff_seconds: 2}
    organization: null
student:
  max_plan_tokens: 2048
teacher:
  llm: {provider: anthropic, model: claude-x, api_key_env: A, reasoning_effort: low}
  plan_cache_seconds: 300
  prompts: {validation: "{base_prompt} check"}
orchestration:
  max_retries: 0
  step_timeout_seconds: 900
  emit_intermediate_steps: true
rim:
  small_model: {provider: xai, model: xai/grok-4-fast}
  large_model: {model: gpt-5}
  variance_threshold: 0.2
  uncertainty_threshold: 0.4
  parallel_workers: 2
  judge_prompt: Mind the runbook.
  active_judges: {process: true, helpfulness: false, diagnostic: true}
adaptive_teaching:
  enabled: true
storage:
  database_url: postgresql://atlas@localhost:5433/atlas
  max_connections: 5
runtime_safety:
  drift: {enabled: true, window: 20, z_threshold: 2.5, min_baseline: 3}
  review: {require_approval: true, default_export_statuses: [approved, pending]}
learning: {enabled: true}
metadata: {team: sre}
`;

test("a whole file of the Python SDK keeps what exists here, and names each thing that does not", () => {
  const { config, named } = load(WHOLE);
  expect(config).toMatchObject({
    agent: {
      type: "gemini",
      name: "sre",
      systemPrompt: "You mend things.",
      model: "gemini-2.5-flash",
      apiKeyEnv: "MY_KEY",
      temperature: 0.1,
      topP: 0.9,
      maxOutputTokens: 512,
      timeoutSeconds: 90,
      retries: 2,
    },
    teacher: { provider: "anthropic", model: "claude-x", apiKeyEnv: "A", extra: { reasoning_effort: "low" } },
    judges: {
      mode: "inline",
      smallModel: {
        provider: "openai",
        model: "grok-4-fast",
        baseUrl: "https://api.x.ai/v1",
        apiKeyEnv: "XAI_API_KEY",
      },
      largeModel: { provider: "openai", model: "gpt-5" },
      spreadThreshold: 0.2,
      uncertaintyThreshold: 0.4,
      parallel: 2,
      list: [
        { name: "process", type: "model", scope: "session", enabled: true, focus: "Mind the runbook." },
        { name: "helpfulness", type: "model", scope: "session", enabled: false, focus: "Mind the runbook." },
      ],
    },
    log: { kind: "postgres", databaseUrl: "postgresql://atlas@localhost:5433/atlas" },
    orchestration: {
      maxRetries: 0,
      concurrency: 4,
      stepTimeoutSeconds: 900,
      deadlineSeconds: 900,
      verdictCache: 0,
    },
    lane: {
      adaptive: true,
      fallback: "paired",
      thresholds: { auto: 0.85, paired: 0.65 },
      historyLimit: 10,
    },
    metadata: { team: "sre" },
    rules: expect.objectContaining({
      drift: expect.objectContaining({ window: 20, threshold: 2.5, min_baseline: 3 }),
    }),
    export: { reviewStatuses: ["approved", "pending"] },
    capture: { level: "full", mask: [], patterns: [] },
    spool: {},
  });
  expect(named.sort()).toEqual(
    [
      "agent.llm.retry.backoff_seconds",
      "agent.tools",
      "student.max_plan_tokens",
      "teacher.plan_cache_seconds",
      "teacher.prompts",
      "rim.active_judges.diagnostic",
      "adaptive_teaching",
      "storage.max_connections",
      "learning",
    ].sort(),
  );
});

test("adaptive teaching becomes how lanes are chosen; what has no counterpart is named", () => {
  const { config, named } = load(`
orchestration: {forced_mode: coach, step_timeout_seconds: 60}
student: {tool_choice: auto, prompts: {planner: p}}
adaptive_teaching:
  enabled: false
  mode_override: auto
  triage_adapter: my.module:triage
  certify_first_run: true
  learning_history_limit: 20
  default_tags: nightly
  probe:
    llm: {provider: xai, model: xai/grok-4-fast, timeout_seconds: 20}
    thresholds: {auto: 0.9, paired: 0.7, coach: 0.35}
    fallback_mode: coach
    evidence_limit: 6
    timeout_seconds: 15
`);
  expect(config.lane).toEqual({
    forced: "coach",
    adaptive: false,
    override: "auto",
    fallback: "coach",
    thresholds: { auto: 0.9, paired: 0.7 },
    historyLimit: 20,
    probe: {
      provider: "openai",
      model: "grok-4-fast",
      baseUrl: "https://api.x.ai/v1",
      apiKeyEnv: "XAI_API_KEY",
      timeoutSeconds: 15,
    },
  });
  expect(config.tags).toEqual(["nightly"]);
  expect(config.orchestration.stepTimeoutSeconds).toBe(60);
  expect(named.sort()).toEqual([
    "adaptive_teaching.certify_first_run",
    "adaptive_teaching.probe.evidence_limit",
    "adaptive_teaching.probe.thresholds.coach",
    "adaptive_teaching.triage_adapter",
    "student.prompts",
  ]);
});

test("adaptive teaching without a probe is said to ask none", () => {
  expect(load("adaptive_teaching: {default_tags: [a]}\n").named).toEqual(["adaptive_teaching"]);
  for (const quiet of ["{enabled: false}", "{mode_override: auto}"])
    expect(load(`adaptive_teaching: ${quiet}\n`).named).toEqual([]);
  expect(load("adaptive_teaching: {probe: {timeout_seconds: 5}}\n").named).toEqual([
    "adaptive_teaching",
    "adaptive_teaching.probe.timeout_seconds",
  ]);
  expect(() => load("adaptive_teaching: {probe: {treshold: 5}}\n")).toThrow(
    /adaptive_teaching\.probe\.treshold/,
  );
});

test("a warning has its place", () => {
  const { warnings } = load("teacher:\n  llm: {model: m}\n  plan_cache_seconds: 1\n");
  expect(warnings).toEqual([
    expect.stringMatching(/^teacher\.plan_cache_seconds does not apply: .* \(config-\d+\.yaml:3:3\)$/),
  ]);
});

test("a problem is named and placed as the file has it", () => {
  expect.assertions(3);
  for (const [text, words] of [
    ["teacher:\n  llm:\n    temperature: 3\n    model: m\n", /^teacher\.llm\.temperature must be at most 2/],
    [
      "rim:\n  small_model:\n    model: m\n    max_output_token: 3\n",
      /^rim\.small_model\.max_output_token is not a key/,
    ],
    [
      "agent: {type: litellm, llm: {provider: bedrock, model: m}}\n",
      /^agent\.type must be openai, anthropic/,
    ],
  ] as const) {
    try {
      load(text);
    } catch (error) {
      expect(messageOf(error)).toMatch(words);
    }
  }
});

test("an HTTP agent: the prompt is added to the template, the path gets its shape", () => {
  const { config, warnings } = load(`
agent:
  type: http_api
  name: h
  system_prompt: s
  transport: {base_url: "https://h/answer", headers: {X-Team: a}, timeout_seconds: 5, retry: {attempts: 1}}
  payload_template: {mode: fast}
  result_path: [output, 0, text]
`);
  expect(warnings).toEqual([]);
  expect(config.agent).toEqual({
    type: "http",
    name: "h",
    systemPrompt: "s",
    url: "https://h/answer",
    headers: { "X-Team": "a" },
    timeoutSeconds: 5,
    retries: 0,
    template: { mode: "fast", prompt: "{{prompt}}" },
    resultPath: "output[0].text",
  });
  expect(load('agent: {type: http_api, transport: {base_url: "https://h"}}').config.agent).toMatchObject({
    resultPath: "output",
  });
});

test("an agent in Python cannot run, and is said to be left out", () => {
  const { config, named } = load("agent: {type: python, name: n, import_path: a.b, attribute: main}\n");
  expect(config.agent).toBeUndefined();
  expect(named).toEqual(["agent.type"]);
});

test("Azure without an address is refused: its key would go elsewhere", () => {
  const azure = (rest: string) => `teacher: {llm: {provider: azure-openai, model: azure/d${rest}}}`;
  expect(() => load(azure(""))).toThrow(/teacher\.llm|teacher\.provider must be one of/);
  expect(load(azure(', api_base: "https://r.openai.azure.com"')).config.teacher).toMatchObject({
    provider: "openai",
    model: "d",
    baseUrl: "https://r.openai.azure.com/openai/v1",
  });
});

test("a log of its own goes before storage, which is said", () => {
  const { config, named } = load("log: {kind: embedded}\nstorage: {database_url: postgresql://d}\n");
  expect(config.log.kind).toBe("embedded");
  expect(named).toEqual(["storage"]);
});

test("what asks for what is so anyway needs no warning", () => {
  expect(
    load("runtime_safety: {drift: {enabled: true}, review: {require_approval: true}}\n").warnings,
  ).toEqual([]);
  expect(load("runtime_safety: {drift: {enabled: false}}\n").named).toEqual(["runtime_safety.drift.enabled"]);
});

test.each([
  ["default_export_statuses: [Approved, QUARANTINED]", ["approved", "quarantined"]],
  ["default_export_statuses: [approved, '*']", "all"],
  ["require_approval: false", ["approved", "pending"]],
  ["{require_approval: false, default_export_statuses: []}", ["approved", "pending"]],
  ["{require_approval: false, default_export_statuses: [approved]}", ["approved"]],
  ["require_approval: true", undefined],
])("of %s, exports take %j", (review, reviewStatuses) => {
  const block = review.startsWith("{") ? review : `{${review}}`;
  const { config, warnings } = load(`runtime_safety: {review: ${block}}\n`);
  expect(config.export.reviewStatuses).toEqual(reviewStatuses);
  expect(warnings).toEqual([]);
});

test("a rim block that names no judges has the one judge that sessions have there", () => {
  const { config } = load("rim: {small_model: {model: m}}\n");
  expect(config.judges).toMatchObject({
    smallModel: { provider: "openai", model: "m" },
    list: [{ name: "session_reward", type: "model", enabled: true }],
  });
  expect(config.judges?.list).toHaveLength(1);
});
