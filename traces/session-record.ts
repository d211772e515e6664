import type {
  AtlasEvent,
  JudgementFailed,
  JudgementMade,
  Micros,
  Plan,
} from "../schemas/generated/events.ts";
import { isoOf } from "../schemas/identity.ts";
import { isImported } from "./recorded-turns.ts";
import type { SessionTrace } from "./session-trace.ts";

const isoOrNull = (micros: Micros | null | undefined): string | null =>
  micros == null ? null : isoOf(micros);

/**
 * The plan that ran. A run without one has its steps for a plan. A recorded conversation had none: its steps follow from
 * what the user said next, which nobody knew before.
 */
export function planOf({ plan, steps, started }: Pick<SessionTrace, "plan" | "steps" | "started">): Plan {
  if (plan !== null) return plan;
  if (isImported({ started })) return { steps: [], execution_mode: "stepwise" };
  const planned = steps.map(({ step_id, description, tool, tool_params, depends_on }) => ({
    id: step_id,
    description,
    tool,
    tool_params,
    depends_on,
  }));
  return { steps: planned, execution_mode: "stepwise" };
}

/** What is known of a session besides what it gave: the same keys with the same types for every session. */
export function sessionMetadata(trace: SessionTrace) {
  const { started } = trace;
  return {
    session_id: trace.session_id,
    status: trace.status as string,
    created_at: isoOrNull(trace.created_at),
    completed_at: isoOrNull(trace.completed_at),
    learning_key: started?.learning_key ?? null,
    execution_mode: trace.lanes.at(-1)?.lane ?? null,
    agent: started?.agent ?? null,
    agent_kind: started?.agent_kind ?? null,
    origin: started?.origin ?? null,
    external_id: started?.external_id ?? null,
    project: started?.project ?? null,
    tenant: started?.tenant ?? null,
    tags: started?.tags ?? [],
    group_id: started?.group_id ?? null,
    rollout: started?.rollout ?? null,
    ground_truth: started?.ground_truth ?? null,
    executor_system_prompt: started?.executor_system_prompt ?? null,
    deadline: isoOrNull(started?.deadline),
    simulated: trace.simulated,
    incomplete: trace.incomplete,
    incomplete_reasons: trace.incomplete_reasons,
    time_assumed: trace.time_assumed,
    error: trace.error,
    token_usage: usageOf(trace),
    cost: trace.cost,
    duration_ms: trace.duration_us === null ? null : trace.duration_us / 1000,
    review_status: trace.review_status as string,
  };
}

function usageOf({ usage }: SessionTrace) {
  if (usage === null) return null;
  const { prompt_tokens, completion_tokens, total_tokens, reasoning_tokens, cached_tokens, calls } = usage;
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens,
    reasoning_tokens: reasoning_tokens ?? null,
    cached_tokens: cached_tokens ?? null,
    calls,
  };
}

/** The lane that the session ran in, and how it got there. */
export function adaptiveSummary({ lanes }: Pick<SessionTrace, "lanes">) {
  const last = lanes.at(-1);
  if (last === undefined) return null;
  return {
    adaptive_mode: last.lane,
    confidence: last.confidence,
    reason: last.reason,
    mode_history: lanes.map(({ lane, reason, confidence }) => ({ mode: lane, reason, confidence })),
    probe: last.probe === null ? null : { value: last.probe },
  };
}

/** What was asked of judges and what they answered; the calls themselves are among the events. */
export function rewardAudit(trace: Pick<SessionTrace, "judgements" | "judgement_failures" | "events">) {
  const judgements = [...trace.judgements, ...trace.judgement_failures];
  if (judgements.length === 0) return [];
  const answers = answersOf(trace.events);
  return judgements.map((judgement) => auditOf(judgement, answers.get(judgement.call_id ?? "") ?? null));
}

function answersOf(events: readonly AtlasEvent[]): Map<string, string> {
  const answers = new Map<string, string>();
  for (const event of events) {
    if (event.type !== "ModelCallEnded" || event.role !== "judge" || event.content == null) continue;
    answers.set(event.call_id, event.content);
  }
  return answers;
}

function auditOf(judgement: JudgementMade | JudgementFailed, response: string | null) {
  return {
    stage: judgement.stage === "arbitration" ? "arbiter" : "tier1",
    judge: judgement.judge,
    step_id: judgement.step_id ?? null,
    model: judgement.model ?? null,
    temperature: judgement.temperature ?? null,
    prompt_version: judgement.prompt_version ?? null,
    call_id: judgement.call_id ?? null,
    score: judgement.type === "JudgementMade" ? judgement.score : null,
    response,
    error: judgement.type === "JudgementFailed" ? judgement.reason : null,
  };
}

/** Every note that the teacher gave, in the order of the steps. */
export const teacherNotes = ({ steps }: Pick<SessionTrace, "steps">): string[] =>
  steps.flatMap(({ guidance }) => guidance);
