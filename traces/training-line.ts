import type { AtlasEvent, JsonText, PlanStep } from "../schemas/generated/events.ts";
import { isoOf } from "../schemas/identity.ts";
import { lineJson } from "./line-json.ts";
import { isImported, type StepTurns, sayingOf, turnsByStep } from "./recorded-turns.ts";
import { driftRecord, rewardStats, sessionReward, stepReward } from "./reward-record.ts";
import { adaptiveSummary, planOf, rewardAudit, sessionMetadata, teacherNotes } from "./session-record.ts";
import type { SessionTrace, TraceStep } from "./session-trace.ts";
import { contextRecord, knownBefore, runtimeRecord, stepMetadata, stepsThatRan } from "./step-record.ts";
import { toTrajectoryEvent } from "./trajectory-event.ts";

/** Readers want an object, and the values in it may have any type: so the object holds them as text. */
const wrapped = (text: JsonText | null | undefined): { value: JsonText } | null =>
  text == null ? null : { value: text };

const NO_REWARD = { score: null, rationale: null, judges: [], raw: null };

const planStepRecord = ({ id, description, tool, tool_params, depends_on }: PlanStep) => ({
  id,
  description,
  tool: tool ?? null,
  tool_params: wrapped(tool_params),
  depends_on,
});

function stepRecord(step: TraceStep, trace: SessionTrace, turns: readonly StepTurns[] | undefined) {
  const { reward, judgements } = trace;
  const metadata = { ...stepMetadata(step), details: step.metadata };
  const known = knownBefore(step);
  const rewarded = reward?.steps.some(({ step_id }) => step_id === step.step_id) ?? false;
  return {
    step_id: step.step_id,
    description: step.description,
    trace: step.trace ?? "",
    output: step.output ?? "",
    reward: reward === null ? NO_REWARD : stepReward(step.step_id, reward, judgements),
    tool: step.tool,
    tool_params: wrapped(step.tool_params) ?? {},
    context: contextRecord(step, trace, turns),
    validation: known.validation ?? {},
    attempts: step.attempt_count,
    guidance: known.guidance,
    artifacts: wrapped(step.artifacts),
    deliverable: step.deliverable,
    runtime: { reward_skipped: !rewarded, ...runtimeRecord(step) },
    status: metadata.status,
    depends_on: metadata.depends_on,
    metadata,
  };
}

/** Who speaks, in words that readers of conversations take for a role; what a tool gave comes from outside as well. */
const ACTORS: Record<string, string> = {
  system: "system",
  developer: "system",
  user: "user",
  tool: "user",
  function: "user",
  assistant: "assistant",
};

/** Who says what, of a message of a recorded conversation. */
function spoken(event: AtlasEvent, recorded: boolean) {
  if (!recorded || event.type !== "MessageRecorded") return { actor: "", message: "" };
  return { actor: ACTORS[event.role] ?? "", message: sayingOf(event) };
}

const eventRecords = (trace: SessionTrace) => {
  const recorded = isImported(trace);
  return trace.events.map((event, index) => ({
    id: index + 1,
    event: toTrajectoryEvent(event),
    created_at: isoOf(event.meta.occurred_at),
    ...spoken(event, recorded),
  }));
};

/**
 * The record of a session for trainers: the keys that Atlas Core's loaders know, always all of them, in one order,
 * with one type for each path. Free-form values are JSON text.
 */
function trainingRecord(trace: SessionTrace) {
  const { reward, judgements, drift, triage } = trace;
  const plan = planOf(trace);
  const metadata = sessionMetadata(trace);
  const turns = isImported(trace) ? turnsByStep(trace) : undefined;
  return {
    task: trace.started?.task ?? "",
    final_answer: trace.final_answer ?? "",
    plan: { steps: plan.steps.map(planStepRecord), execution_mode: plan.execution_mode },
    steps: stepsThatRan(trace).map((step) => stepRecord(step, trace, turns)),
    session_metadata: { ...metadata, caller_metadata: trace.started?.metadata ?? null },
    execution_mode: metadata.execution_mode,
    review_status: metadata.review_status,
    review_notes: trace.review_notes,
    reward_stats: reward === null ? null : rewardStats(reward),
    reward_audit: rewardAudit(trace),
    session_reward: reward === null ? null : sessionReward(reward, judgements),
    student_learning: null,
    teacher_learning: null,
    adaptive_summary: adaptiveSummary(trace),
    triage_dossier: triage === null ? null : { adapter: triage.adapter, value: triage.dossier },
    learning_key: metadata.learning_key,
    learning_history: null,
    teacher_notes: teacherNotes(trace),
    reward_summary:
      reward === null ? null : { score: reward.score, sample_count: reward.statistics.sample_count },
    drift: drift === null ? null : driftRecord(drift),
    drift_alert: drift === null ? null : drift.alert,
    trajectory_events: eventRecords(trace),
  };
}

/**
 * One line of a training file, without its line end: the only encoder there is, so that a session gives the same
 * bytes whether it comes from the log or from the read models. Lines of any sessions in any order make a file in
 * which every path has one type. No id in it depends on a database.
 *
 * @example
 * file.write(`${encodeTrainingLine(foldSession(events))}\n`);
 */
export const encodeTrainingLine = (trace: SessionTrace): string => lineJson(trainingRecord(trace));
