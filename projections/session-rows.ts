import { isoOf } from "../schemas/identity.ts";
import { cleanText, isObject, jsonValue } from "../traces/clean-text.ts";
import {
  driftRecord,
  type RewardRecord,
  rewardStats,
  sessionReward,
  stepReward,
} from "../traces/reward-record.ts";
import {
  adaptiveSummary,
  planOf,
  rewardAudit,
  sessionMetadata,
  teacherNotes,
} from "../traces/session-record.ts";
import type { SessionFacts, SessionTrace, TraceAttempt, TraceStep } from "../traces/session-trace.ts";
import {
  attemptRecord,
  runtimeRecord,
  stepMetadata,
  stepsThatRan,
  validationRecord,
} from "../traces/step-record.ts";

/** A row of `sessions`; JSON columns as text. */
export interface SessionRow {
  id: number;
  session_uuid: string;
  task: string;
  status: string;
  metadata: string;
  final_answer: string | null;
  reward: string | null;
  reward_stats: string | null;
  reward_audit: string | null;
  review_status: string;
  review_notes: string | null;
  created_at: string;
  completed_at: string | null;
  learning_key: string;
  agent: string;
  origin: string;
  lane: string | null;
  incomplete: boolean;
  simulated: boolean;
  tokens: number | null;
  step_count: number;
  event_count: number;
  size: number;
}

export interface StepRow {
  session_id: number;
  step_id: number;
  trace: string;
  output: string;
  evaluation: string;
  metadata: string;
  attempts: number;
}

export interface AttemptRow {
  session_id: number;
  step_id: number;
  attempt: number;
  evaluation: string;
}

export interface NoteRow {
  session_id: number;
  step_id: number;
  sequence: number;
  note: string;
}

const json = (value: unknown): string => JSON.stringify(cleanText(value));

/** Readers want an object. */
function objectOf(text: string | null): Record<string, unknown> | undefined {
  const value = jsonValue(text);
  if (value === undefined || value === null) return undefined;
  return isObject(value) ? value : { value };
}

/** The part of a session's metadata that other topics decide; absent keys are as if they were null. */
export function derivedMetadata({ reward, drift, review_status, review_notes }: SessionFacts) {
  return {
    review_status,
    review_notes,
    ...(reward !== null && {
      reward_stats: rewardStats(reward),
      reward_summary: { score: reward.score, sample_count: reward.statistics.sample_count },
    }),
    ...(drift !== null && { drift: driftRecord(drift), drift_alert: drift.alert }),
  };
}

/** Readers take these for ours: a caller's values of other types would break them. */
const OURS = new Set([
  "adaptive_summary",
  "drift",
  "drift_alert",
  "learning_history",
  "learning_state",
  "reward_audit",
  "reward_stats",
  "reward_summary",
  "session_reward",
  "student_learning",
  "teacher_learning",
  "teacher_notes",
  "triage_dossier",
]);

function callerMetadata({ started }: SessionTrace): Record<string, unknown> {
  const entries = Object.entries(objectOf(started?.metadata ?? null) ?? {});
  return Object.fromEntries(entries.filter(([key]) => !OURS.has(key)));
}

function metadataOf(trace: SessionTrace): Record<string, unknown> {
  const dossier = trace.triage === null ? undefined : objectOf(trace.triage.dossier);
  const summary = adaptiveSummary(trace);
  const audit = rewardAudit(trace);
  const notes = teacherNotes(trace);
  return {
    ...callerMetadata(trace),
    ...sessionMetadata(trace),
    ...(dossier !== undefined && { triage_dossier: dossier }),
    ...(summary !== null && { adaptive_summary: summary }),
    ...(audit.length > 0 && { reward_audit: audit }),
    ...(notes.length > 0 && { teacher_notes: notes }),
    ...derivedMetadata(trace),
  };
}

/** The row of a session that has started. */
export function sessionRow(trace: SessionTrace, id: number, size: number): SessionRow {
  const started = trace.started!;
  const { reward, judgements } = trace;
  const audit = rewardAudit(trace);
  return {
    id,
    session_uuid: trace.session_id,
    task: started.task,
    status: trace.status,
    metadata: json(metadataOf(trace)),
    final_answer: trace.final_answer,
    reward: reward === null ? null : json(sessionReward(reward, judgements)),
    reward_stats: reward === null ? null : json(rewardStats(reward)),
    reward_audit: audit.length === 0 ? null : json(audit),
    review_status: trace.review_status,
    review_notes: trace.review_notes,
    created_at: isoOf(trace.created_at!),
    completed_at: trace.completed_at === null ? null : isoOf(trace.completed_at),
    learning_key: started.learning_key,
    agent: started.agent,
    origin: started.origin,
    lane: trace.lanes.at(-1)?.lane ?? null,
    incomplete: trace.incomplete,
    simulated: trace.simulated,
    tokens: trace.usage?.total_tokens ?? null,
    step_count: stepsThatRan(trace).length,
    event_count: trace.event_count,
    size,
  };
}

/** The plan as text; steps name their parameters as an object. */
export function planJson(trace: SessionTrace): string {
  const plan = planOf(trace);
  const steps = plan.steps.map(({ id, description, tool, tool_params, depends_on }) => ({
    id,
    description,
    tool: tool ?? null,
    tool_params: objectOf(tool_params ?? null) ?? null,
    depends_on,
  }));
  return json({ steps, execution_mode: plan.execution_mode });
}

function evaluationOf(step: TraceStep, reward: RewardRecord | null): Record<string, unknown> {
  const validation = validationRecord(step.attempts.at(-1)?.validation);
  return { ...(validation !== null && { validation }), ...(reward !== null && { reward }) };
}

/** The row of a step. */
export function stepRow(trace: SessionTrace, step: TraceStep, session_id: number): StepRow {
  const { reward, judgements } = trace;
  const artifacts = objectOf(step.artifacts);
  const deliverable = jsonValue(step.deliverable);
  const metadata = {
    ...stepMetadata(step),
    details: objectOf(step.metadata) ?? null,
    ...(artifacts !== undefined && { artifacts }),
    ...(deliverable !== undefined && { deliverable }),
    runtime: runtimeRecord(step),
  };
  return {
    session_id,
    step_id: step.step_id,
    trace: step.trace ?? "",
    output: step.output ?? "",
    evaluation: json(
      evaluationOf(step, reward === null ? null : stepReward(step.step_id, reward, judgements)),
    ),
    metadata: json(metadata),
    attempts: step.attempt_count,
  };
}

/** The row of an attempt: whole, unlike in the step's history. */
export function attemptRow(attempt: TraceAttempt, step: TraceStep, session_id: number): AttemptRow {
  const { evaluation, ...record } = attemptRecord(attempt, { ...step, output: null });
  const artifacts = objectOf(attempt.artifacts);
  const deliverable = jsonValue(attempt.deliverable);
  return {
    session_id,
    step_id: step.step_id,
    attempt: attempt.attempt,
    evaluation: json({
      ...evaluation,
      ...record,
      ...(artifacts !== undefined && { artifacts }),
      ...(deliverable !== undefined && { deliverable }),
    }),
  };
}

/** The notes of a step, numbered from 1. */
export const noteRows = (step: TraceStep, session_id: number): NoteRow[] =>
  step.guidance.map((note, index) => ({ session_id, step_id: step.step_id, sequence: index + 1, note }));

/** Which steps of a trace have rows: those among the named ones that ran. */
export const stepsToWrite = (trace: SessionTrace, touched: ReadonlySet<number>): TraceStep[] =>
  stepsThatRan(trace).filter(({ step_id }) => touched.has(step_id));
