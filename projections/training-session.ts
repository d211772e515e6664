import type { AtlasEvent, Uuid } from "../schemas/generated/events.ts";
import type { ReviewStatus } from "../schemas/vocabulary.ts";
import type { driftRecord, RewardRecord, rewardStats } from "../traces/reward-record.ts";
import type { adaptiveSummary, rewardAudit } from "../traces/session-record.ts";
import type { attemptRecord, runtimeRecord, validationRecord } from "../traces/step-record.ts";

/** A JSON object. */
export type JsonObject = Record<string, unknown>;

/** One step of a plan. */
export interface TrainingPlanStep {
  id: number;
  description: string;
  tool: string | null;
  toolParams: JsonObject | null;
  dependsOn: number[];
}

/** One step of a session as trainers see it. */
export interface AtlasStepTrace {
  stepId: number;
  description: string;
  /** running, succeeded, failed or cancelled. */
  status: string;
  trace: string;
  output: string;
  /** The step's own reward, or its session's where nobody judged the step; null without either. */
  reward: RewardRecord | null;
  tool: string | null;
  toolParams: JsonObject | null;
  dependsOn: number[];
  validation: NonNullable<ReturnType<typeof validationRecord>> | null;
  attempts: number;
  attemptHistory: ReturnType<typeof attemptRecord>[];
  guidance: string[];
  artifacts: JsonObject | null;
  deliverable: unknown;
  runtime: ReturnType<typeof runtimeRecord>;
  metadata: JsonObject;
}

/** A whole session as trainers see it. Keys inside JSON values are snake_case, as they were recorded. */
export interface AtlasSessionTrace {
  sessionId: Uuid;
  task: string;
  finalAnswer: string | null;
  /** running, succeeded, failed, cancelled or abandoned. */
  status: string;
  reviewStatus: ReviewStatus;
  reviewNotes: string | null;
  learningKey: string;
  agent: string;
  /** run, import or migration. */
  origin: string;
  /** The lane that the session ended in; null where none was chosen. */
  lane: string | null;
  tags: string[];
  createdAt: Date;
  completedAt: Date | null;
  /** A model, of the student, the teacher or a judge, was simulated. */
  simulated: boolean;
  /** Something of the session is missing. */
  incomplete: boolean;
  tokens: number | null;
  plan: { steps: TrainingPlanStep[]; executionMode: string };
  steps: AtlasStepTrace[];
  sessionMetadata: JsonObject;
  /** Null for a session that was not judged; absent when learning data was not asked for. So are the next six. */
  reward?: RewardRecord | null;
  rewardStats?: ReturnType<typeof rewardStats> | null;
  /** The reward in short. */
  rewardSummary?: { score: number; sample_count: number } | null;
  rewardAudit?: ReturnType<typeof rewardAudit>;
  studentLearning?: string | null;
  teacherLearning?: string | null;
  adaptiveSummary?: NonNullable<ReturnType<typeof adaptiveSummary>> | null;
  drift: ReturnType<typeof driftRecord> | null;
  driftAlert: boolean;
  triageDossier: JsonObject | null;
  teacherNotes: string[];
  /** All of the session's own events, oldest first; absent when they were not asked for. */
  trajectoryEvents?: AtlasEvent[];
}

/** A session's columns and its plan. */
export interface SessionColumns {
  id: number;
  session_uuid: Uuid;
  task: string;
  status: string;
  metadata: JsonObject;
  final_answer: string | null;
  reward: RewardRecord | null;
  reward_stats: ReturnType<typeof rewardStats> | null;
  reward_audit: ReturnType<typeof rewardAudit> | null;
  student_learning: string | null;
  teacher_learning: string | null;
  review_status: ReviewStatus;
  review_notes: string | null;
  created_at: Date;
  completed_at: Date | null;
  learning_key: string;
  agent: string;
  origin: string;
  lane: string | null;
  incomplete: boolean;
  simulated: boolean;
  tokens: number | null;
  plan: { steps: PlanStepColumns[]; execution_mode: string } | null;
}

interface PlanStepColumns {
  id: number;
  description: string;
  tool: string | null;
  tool_params: JsonObject | null;
  depends_on: number[];
}

/** A step's columns. */
export interface StepColumns {
  step_id: number;
  trace: string;
  output: string;
  evaluation: { validation?: AtlasStepTrace["validation"]; reward?: RewardRecord };
  metadata: JsonObject & {
    status: string;
    attempt_history: ReturnType<typeof attemptRecord>[];
    depends_on: number[];
    artifacts?: JsonObject;
    deliverable?: unknown;
    runtime: ReturnType<typeof runtimeRecord>;
  };
  attempts: number;
}

/** Puts a step together. */
export function trainingStep(
  row: StepColumns,
  planned: TrainingPlanStep | undefined,
  guidance: string[],
): AtlasStepTrace {
  const { metadata, evaluation } = row;
  return {
    stepId: row.step_id,
    description: planned?.description ?? "",
    status: metadata.status,
    trace: row.trace,
    output: row.output,
    reward: evaluation.reward ?? null,
    tool: planned?.tool ?? null,
    toolParams: planned?.toolParams ?? null,
    dependsOn: metadata.depends_on,
    validation: evaluation.validation ?? null,
    attempts: row.attempts,
    attemptHistory: metadata.attempt_history,
    guidance,
    artifacts: metadata.artifacts ?? null,
    deliverable: metadata.deliverable ?? null,
    runtime: metadata.runtime,
    metadata,
  };
}

/** The plan with its steps in the terms of the API. */
export function trainingPlan(plan: SessionColumns["plan"]): AtlasSessionTrace["plan"] {
  const steps = (plan?.steps ?? []).map(({ id, description, tool, tool_params, depends_on }) => ({
    id,
    description,
    tool,
    toolParams: tool_params,
    dependsOn: depends_on,
  }));
  return { steps, executionMode: plan?.execution_mode ?? "stepwise" };
}

/** Puts a session together. */
export function trainingSession(
  row: SessionColumns,
  steps: AtlasStepTrace[],
  plan: AtlasSessionTrace["plan"],
  events: AtlasEvent[] | undefined,
  learningData: boolean,
): AtlasSessionTrace {
  const { metadata } = row;
  return {
    sessionId: row.session_uuid,
    task: row.task,
    finalAnswer: row.final_answer,
    status: row.status,
    reviewStatus: row.review_status,
    reviewNotes: row.review_notes,
    learningKey: row.learning_key,
    agent: row.agent,
    origin: row.origin,
    lane: row.lane,
    tags: (metadata.tags ?? []) as string[],
    createdAt: row.created_at,
    completedAt: row.completed_at,
    simulated: row.simulated,
    incomplete: row.incomplete,
    tokens: row.tokens,
    plan,
    steps,
    sessionMetadata: metadata,
    ...(learningData && {
      reward: row.reward,
      rewardStats: row.reward_stats,
      rewardSummary: (metadata.reward_summary ?? null) as AtlasSessionTrace["rewardSummary"] & {},
      rewardAudit: row.reward_audit ?? [],
      studentLearning: row.student_learning,
      teacherLearning: row.teacher_learning,
      adaptiveSummary: (metadata.adaptive_summary ?? null) as AtlasSessionTrace["adaptiveSummary"] & {},
    }),
    drift: (metadata.drift ?? null) as AtlasSessionTrace["drift"],
    driftAlert: metadata.drift_alert === true,
    triageDossier: (metadata.triage_dossier ?? null) as JsonObject | null,
    teacherNotes: (metadata.teacher_notes ?? []) as string[],
    ...(events !== undefined && { trajectoryEvents: events }),
  };
}
