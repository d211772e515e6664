import { createHash } from "node:crypto";
import type { JsonText, Micros, PlanStep, TokenUsage } from "../../schemas/generated/events.ts";
import { learningKeyProblem } from "../../schemas/learning-key.ts";
import { stableJson } from "../../schemas/rules.ts";
import type { ReviewStatus, SessionStatus } from "../../schemas/vocabulary.ts";
import { isObject } from "../../traces/clean-text.ts";
import { microsOf } from "../recorded-time.ts";
import { depthOf } from "./json-slices.ts";
import { itemsOf, jsonIn, memberOf, numberIn, textIn, textsIn, type Written, written } from "./old-json.ts";
import { type OldReward, oldReward } from "./old-reward.ts";
import { type OldStep, oldPlanStep, oldStep } from "./old-step.ts";

/** A session of the Python SDK. */
export interface OldSession {
  /** SHA-256 of all of it but its review, which may change later. */
  contentHash: string;
  /** Its integer in the old database. */
  externalId: string | undefined;
  task: string;
  status: SessionStatus;
  finalAnswer: string | undefined;
  startedAt: Micros | undefined;
  endedAt: Micros | undefined;
  learningKey: string | undefined;
  agent: string | undefined;
  tags: string[];
  tenant: string | undefined;
  project: string | undefined;
  groundTruth: string | undefined;
  systemPrompt: string | undefined;
  lane: string | undefined;
  confidence: number | undefined;
  probe: JsonText | null;
  triage: JsonText | null;
  plan: { steps: PlanStep[]; execution_mode: string } | undefined;
  steps: OldStep[];
  reward: OldReward | undefined;
  usage: TokenUsage | undefined;
  reviewStatus: ReviewStatus;
  reviewNotes: string | undefined;
  /** What the session said of itself besides all this. */
  metadata: JsonText;
  /** What the old runtime recorded as it went, oldest first. */
  events: { at: Micros | undefined; raw: JsonText }[];
}

const MAX_DEPTH = 512;
/** Held elsewhere: repeated in the metadata, or computed again here. */
const REPEATED = new Set([
  "session_id",
  "status",
  "created_at",
  "completed_at",
  "trajectory_events",
  "session_reward",
  "reward_stats",
  "reward_audit",
  "reward_summary",
  "review_status",
  "review_notes",
  "learning_state",
  "learning_history",
  "triage_dossier",
  "token_usage",
  "drift",
  "drift_alert",
  "teacher_notes",
]);
const LANES = ["auto", "paired", "coach"];
const ENDED = ["succeeded", "failed", "cancelled"];
const REVIEWS = ["pending", "approved", "quarantined"];

const oneOf = <T extends string>(text: string | undefined, allowed: readonly string[]): T | undefined =>
  allowed.find((known) => known === text?.toLowerCase()) as T | undefined;

function usageIn(given: Written): TokenUsage | undefined {
  const count = (name: string): number | undefined => {
    const value = numberIn(memberOf(given, name));
    return value !== undefined && value >= 0 ? Math.round(value) : undefined;
  };
  const [prompt_tokens = 0, completion_tokens = 0] = [count("prompt_tokens"), count("completion_tokens")];
  const total_tokens = count("total_tokens") ?? prompt_tokens + completion_tokens;
  if (total_tokens === 0) return undefined;
  return { prompt_tokens, completion_tokens, total_tokens, calls: count("calls") ?? 0 };
}

/** The caller's part of the metadata, with the notes of what was learned. */
function metadataIn(row: Written, metadata: Written): JsonText {
  const kept = isObject(metadata.value)
    ? Object.keys(metadata.value)
        .filter((name) => !REPEATED.has(name))
        .map((name) => [name, memberOf(metadata, name)] as const)
    : [];
  const notes = ["student_learning", "teacher_learning"].map((name) => [name, memberOf(row, name)] as const);
  const fields = new Map(
    [...kept, ...notes].flatMap(([name, value]) => {
      const raw = jsonIn(value);
      return raw === null ? [] : [[name, raw] as const];
    }),
  );
  return `{${[...fields].map(([name, raw]) => `${JSON.stringify(name)}:${raw}`).join(",")}}`;
}

function planIn(plan: Written): OldSession["plan"] {
  const steps = itemsOf(memberOf(plan, "steps")).flatMap((step) => oldPlanStep(step) ?? []);
  if (steps.length === 0) return undefined;
  const mode = textIn(memberOf(plan, "execution_mode"));
  return { steps, execution_mode: mode === "single_shot" ? mode : "stepwise" };
}

const eventsIn = (events: Written): OldSession["events"] =>
  itemsOf(events).map((entry) => {
    const event = memberOf(entry, "event");
    const inner = event.value === undefined ? entry : event;
    const seconds = memberOf(memberOf(inner, "payload"), "event_timestamp");
    const at = microsOf(seconds.value) ?? microsOf(memberOf(entry, "created_at").value);
    return { at, raw: inner.raw };
  });

/** The whole of it but the review: what a person decided later makes no other session of it. */
function hashOf(value: Record<string, unknown>): string {
  const { review_status, review_notes, session_metadata, ...rest } = value;
  const metadata = isObject(session_metadata) ? { ...session_metadata } : session_metadata;
  if (isObject(metadata)) {
    delete metadata.review_status;
    delete metadata.review_notes;
  }
  return createHash("sha256")
    .update(stableJson({ ...rest, session_metadata: metadata }))
    .digest("hex");
}

/** Whether a line was written by this package: it says of each event where it stood in the log. */
function isOfAtlas({ trajectory_events: events }: Record<string, unknown>): boolean {
  const [first] = Array.isArray(events) ? (events as unknown[]) : [];
  const event = isObject(first) && isObject(first.event) ? first.event : {};
  const metadata = isObject(event.payload) && isObject(event.payload.metadata) ? event.payload.metadata : {};
  return typeof metadata.event_id === "string" && typeof metadata.sequence === "number";
}

/**
 * Reads a session of the Python SDK in the form of its export.
 *
 * @param source one line of an export, or the same made from its database
 * @returns the session, or why it is none
 * @example
 * const session = readOldSession(line);
 * if (typeof session === "string") console.error(session);
 */
export function readOldSession(source: string): OldSession | string {
  let row: Written;
  try {
    row = written(source);
  } catch {
    return "it is not valid JSON";
  }
  if (!isObject(row.value)) return "it is no JSON object";
  if (depthOf(source) > MAX_DEPTH) return `it is nested more than ${MAX_DEPTH} levels deep`;
  if (isOfAtlas(row.value))
    return "it is a line of Atlas itself, which comes back whole without --from-jsonl";
  const metadata = memberOf(row, "session_metadata");
  const of = (...names: string[]): Written => {
    const own = memberOf(row, ...names);
    return own.value === undefined ? memberOf(metadata, ...names) : own;
  };
  const task = textIn(memberOf(row, "task"));
  if (task === undefined) return "it has no task";
  const said = textIn(of("status"));
  const status = oneOf<SessionStatus>(said ?? "succeeded", ENDED);
  if (status === undefined) return `it has not ended: its status is ${JSON.stringify(said)}`;
  const learningKey = textIn(of("learning_key"));
  const keyProblem = learningKey === undefined ? undefined : learningKeyProblem(learningKey);
  if (keyProblem !== undefined) return `its learning key ${keyProblem}`;
  const summary = of("adaptive_summary");
  const steps = itemsOf(memberOf(row, "steps")).flatMap((step) => oldStep(step) ?? []);
  const ids = new Set(steps.map(({ id }) => id));
  if (ids.size < steps.length) return "two of its steps have the same id";
  const identifier = of("session_id").value;
  return {
    contentHash: hashOf(row.value),
    externalId: identifier === undefined ? undefined : String(identifier),
    task,
    status,
    finalAnswer: textIn(memberOf(row, "final_answer")),
    startedAt: microsOf(of("created_at").value),
    endedAt: microsOf(of("completed_at").value),
    learningKey,
    agent: textIn(of("agent", "agent_name")),
    tags: textsIn(of("tags")),
    tenant: textIn(of("tenant_id", "tenant")),
    project: textIn(of("project")),
    groundTruth: textIn(of("ground_truth")),
    systemPrompt: textIn(of("executor_system_prompt")),
    lane: oneOf(textIn(of("execution_mode")) ?? textIn(memberOf(summary, "adaptive_mode")), LANES),
    confidence: numberIn(memberOf(summary, "confidence")),
    probe: jsonIn(memberOf(summary, "probe")),
    triage: isObject(of("triage_dossier").value) ? jsonIn(of("triage_dossier")) : null,
    plan: planIn(memberOf(row, "plan")),
    steps,
    reward: oldReward(memberOf(row, "session_reward", "reward"), of("reward_audit")),
    usage: usageIn(of("token_usage")),
    reviewStatus: oneOf<ReviewStatus>(textIn(of("review_status")), REVIEWS) ?? "pending",
    reviewNotes: textIn(of("review_notes")),
    metadata: metadataIn(row, metadata),
    events: eventsIn(of("trajectory_events")),
  };
}
