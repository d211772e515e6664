import { Draft } from "./python-draft.ts";
import { moveJudges } from "./python-judges.ts";
import { moveLlm } from "./python-llm.ts";

/** Blocks that only the Python SDK's files have. */
const PYTHON_BLOCKS = ["student", "rim", "storage", "adaptive_teaching", "runtime_safety", "prompt_rewrite"];
const PYTHON_AGENTS = ["litellm", "http_api", "python"];

const has = (value: unknown, key: string): boolean =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key);

/** Whether a file is written for the Python SDK, as far as its keys tell. */
export function isPythonConfig(value: Record<string, unknown>): boolean {
  const type = has(value.agent, "type") ? (value.agent as { type: unknown }).type : undefined;
  return (
    PYTHON_BLOCKS.some((key) => has(value, key)) ||
    PYTHON_AGENTS.some((kind) => kind === type) ||
    has(value.agent, "llm") ||
    has(value.teacher, "llm")
  );
}

/** What has no counterpart, with what is so instead; a third word is the value that asks for what is so anyway. */
const GONE: readonly (readonly [path: string, words: string, unless?: unknown])[] = [
  ["agent.tools", "do not apply: declare tools where the agent is written"],
  ["agent.response_format", "does not apply"],
  ["agent.metadata_digest", "does not apply: no digest of session metadata is sent to the agent"],
  ["student.prompts", "do not apply: the agent is told its own system prompt only, agent.system_prompt"],
  ["student.prompt_guidance", "does not apply: use agent.system_prompt"],
  ["student.tool_choice", "does not apply: the model chooses", "auto"],
  ["student.max_plan_tokens", "does not apply: use agent.max_output_tokens"],
  ["student.max_step_tokens", "does not apply: use agent.max_output_tokens"],
  ["student.max_synthesis_tokens", "does not apply: use agent.max_output_tokens"],
  ["teacher.prompts", "do not apply: the prompts are the package's own"],
  ["teacher.prompt_guidance", "does not apply"],
  ["teacher.max_review_tokens", "does not apply: use teacher.max_output_tokens"],
  ["teacher.validation_max_tokens", "does not apply: use teacher.max_output_tokens"],
  ["teacher.guidance_max_tokens", "does not apply: use teacher.max_output_tokens"],
  [
    "teacher.plan_cache_seconds",
    "does not apply: orchestration.verdict_cache keeps plan reviews and verdicts",
  ],
  ["orchestration.rim_guidance_tag", "does not apply"],
  ["orchestration.emit_intermediate_steps", "does not apply: everything is recorded", true],
  ["storage.min_connections", "does not apply"],
  ["storage.max_connections", "does not apply"],
  ["storage.statement_timeout_seconds", "does not apply"],
  ["storage.apply_schema_on_connect", "does not apply: tables are always brought up to date", true],
  [
    "adaptive_teaching.triage_adapter",
    "does not apply: Python code cannot run here; atlas triage init writes a module for triage",
  ],
  ["adaptive_teaching.certify_first_run", "does not apply: a first run is worked on in the paired lane"],
  ["adaptive_teaching.probe.thresholds.coach", "does not apply: what is below paired is coach"],
  ["adaptive_teaching.probe.evidence_limit", "does not apply: use lane.history_limit"],
  ["adaptive_teaching.reward", "does not apply: judges are this package's own"],
  ["runtime_safety.drift.enabled", "does not apply: drift is always assessed, and stops nothing", true],
  ["learning", "does not apply: playbooks are not written by this version"],
  ["prompt_rewrite", "does not apply"],
];

function moveAgent(draft: Draft): void {
  const type = draft.get(["agent", "type"]);
  if (type === "python") {
    draft.take(["agent"]);
    draft.warnings.push({
      path: ["agent", "type"],
      words: "does not apply: Python code cannot run here; name a JavaScript module with type function",
    });
  } else if (type === "litellm" || (type === "openai" && draft.get(["agent", "llm"]) !== undefined)) {
    draft.set(["agent", "type"], moveLlm(draft, ["agent", "llm"], ["agent"]));
  } else if (type === "http_api") moveHttpAgent(draft);
}

/** `["output", "0", "text"]` becomes `output[0].text`. */
const resultPathOf = (path: readonly unknown[]): string =>
  path
    .map((key) => (/^\d+$/.test(String(key)) ? `[${key}]` : `.${key}`))
    .join("")
    .replace(/^\./, "");

function moveHttpAgent(draft: Draft): void {
  const from = ["agent", "transport"];
  draft.set(["agent", "type"], "http");
  draft.move([...from, "base_url"], ["agent", "url"]);
  draft.move([...from, "headers"], ["agent", "headers"]);
  draft.move([...from, "timeout_seconds"], ["agent", "timeout_seconds"]);
  const attempts = draft.get([...from, "retry", "attempts"]);
  draft.move([...from, "retry", "attempts"], ["agent", "retries"]);
  if (typeof attempts === "number") draft.set(["agent", "retries"], attempts - 1);
  draft.drop([...from, "retry", "backoff_seconds"], "does not apply: pauses double, with jitter");
  draft.close([...from, "retry"], ["agent", "retry"]);
  draft.close(from, ["agent"]);
  // There the prompt is added to whatever the template holds.
  const template = draft.get(["agent", "payload_template"]);
  draft.move(["agent", "payload_template"], ["agent", "template"]);
  if (typeof template === "object" && template !== null && !("prompt" in template))
    draft.set(["agent", "template"], { ...template, prompt: "{{prompt}}" });
  const path = draft.get(["agent", "result_path"]);
  draft.move(["agent", "result_path"], ["agent", "result_path"]);
  if (path === undefined || path === null || (Array.isArray(path) && path.length === 0))
    draft.set(["agent", "result_path"], "output");
  else if (Array.isArray(path)) draft.set(["agent", "result_path"], resultPathOf(path));
}

function moveStorage(draft: Draft): void {
  if (draft.get(["storage", "database_url"]) === undefined) return;
  if (draft.get(["log"]) !== undefined) {
    draft.drop(["storage"], "does not apply: log says where events are kept");
    return;
  }
  draft.set(["log"], { kind: "postgres" });
  draft.move(["storage", "database_url"], ["log", "database_url"]);
}

function moveDrift(draft: Draft): void {
  for (const [from, to] of [
    ["window", "window"],
    ["z_threshold", "threshold"],
    ["min_baseline", "min_baseline"],
  ] as const)
    draft.move(["runtime_safety", "drift", from], ["rules", "drift", to]);
}

/** Where nobody has to approve, what nobody looked at is exported there. */
function moveReview(draft: Draft): void {
  const from = ["runtime_safety", "review"];
  const to = ["export", "review_statuses"];
  const listed = draft.get([...from, "default_export_statuses"]);
  const approval = draft.take([...from, "require_approval"]);
  draft.move([...from, "default_export_statuses"], to);
  if (Array.isArray(listed) && listed.length > 0) {
    const words = listed.map((word: unknown) =>
      typeof word === "string" ? word.trim().toLowerCase() : word,
    );
    draft.set(to, words.some((word) => word === "*" || word === "all") ? "all" : words);
  } else if (Array.isArray(listed)) draft.take(to);
  if (draft.get(to) === undefined && approval === false) draft.set(to, ["approved", "pending"]);
}

/** There, without a probe of its own, a model is asked that is named nowhere in the file. */
function warnOfProbe(draft: Draft): void {
  const adaptive = ["adaptive_teaching"];
  const chosen = [["enabled"], ["mode_override"], ["probe", "llm"]].map((key) =>
    draft.get([...adaptive, ...key]),
  );
  const [enabled = true, override, probe] = chosen;
  if (draft.get(adaptive) === undefined || enabled === false || override || probe) return;
  if (draft.get(["orchestration", "forced_mode"])) return;
  draft.warnings.push({
    path: adaptive,
    words: "names no probe.llm, and there is no default one: tasks with a history get the fallback lane",
  });
}

function moveLanes(draft: Draft): void {
  const from = ["adaptive_teaching"];
  const probe = [...from, "probe"];
  warnOfProbe(draft);
  if (draft.get([...probe, "llm"]) !== undefined)
    draft.set(["lane", "probe", "provider"], moveLlm(draft, [...probe, "llm"], ["lane", "probe"]));
  if (draft.get(["lane", "probe"]) === undefined)
    draft.drop([...probe, "timeout_seconds"], "does not apply: no probe is named");
  for (const [path, to] of [
    [
      ["orchestration", "forced_mode"],
      ["lane", "forced"],
    ],
    [
      [...from, "enabled"],
      ["lane", "adaptive"],
    ],
    [
      [...from, "mode_override"],
      ["lane", "override"],
    ],
    [
      [...from, "learning_history_limit"],
      ["lane", "history_limit"],
    ],
    [[...from, "default_tags"], ["tags"]],
    [
      [...probe, "thresholds", "auto"],
      ["lane", "thresholds", "auto"],
    ],
    [
      [...probe, "thresholds", "paired"],
      ["lane", "thresholds", "paired"],
    ],
    [
      [...probe, "fallback_mode"],
      ["lane", "fallback"],
    ],
    [
      [...probe, "timeout_seconds"],
      ["lane", "probe", "timeout_seconds"],
    ],
  ] as const)
    draft.move(path, to);
  const tags = draft.get(["tags"]);
  if (typeof tags === "string") draft.set(["tags"], [tags]);
}

/**
 * Turns a configuration of the Python SDK into one of this SDK. What has no counterpart becomes a warning; what is
 * unknown to both stays, for the schema to refuse.
 */
export function fromPython(value: Record<string, unknown>): Draft {
  const draft = new Draft(value);
  moveAgent(draft);
  for (const [path, words, unless] of GONE) draft.drop(path.split("."), words, unless);
  if (draft.get(["teacher", "llm"]) !== undefined)
    draft.set(["teacher", "provider"], moveLlm(draft, ["teacher", "llm"], ["teacher"]));
  moveJudges(draft);
  moveStorage(draft);
  moveDrift(draft);
  moveReview(draft);
  moveLanes(draft);
  for (const path of [
    ["runtime_safety", "drift"],
    ["runtime_safety", "review"],
    ["runtime_safety"],
    ["rim"],
    ["storage"],
  ])
    draft.close(path, path);
  draft.close(["student"], ["agent"]);
  draft.close(["adaptive_teaching", "probe", "thresholds"], ["lane", "thresholds"]);
  draft.close(["adaptive_teaching", "probe"], ["lane", "probe"]);
  draft.close(["adaptive_teaching"], ["lane"]);
  return draft;
}
