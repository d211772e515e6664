import type { AtlasEvent } from "../schemas/generated/events.ts";
import { isMadeUp } from "./made-up.ts";
import type { SessionView, TraceAttempt, TraceStatus, TraceStep } from "./session-trace.ts";

/** What is known of a session before its first event. */
export const emptyView = (): SessionView => ({
  started: null,
  status: "unknown",
  created_at: null,
  completed_at: null,
  ended: null,
  final_answer: null,
  error: null,
  usage: null,
  cost: null,
  duration_us: null,
  triage: null,
  lanes: [],
  plan: null,
  plan_concerns: [],
  steps: [],
  judgements: [],
  judgement_failures: [],
  judged: null,
  simulated: false,
  time_assumed: false,
});

/** Where a number stands, or would stand, in a list that ascends by it. */
function placeOf<T>(list: readonly T[], number: number, numberOf: (item: T) => number): number {
  let from = 0;
  let until = list.length;
  while (from < until) {
    const middle = (from + until) >>> 1;
    if (numberOf(list[middle]!) < number) from = middle + 1;
    else until = middle;
  }
  return from;
}

function stepOf(view: SessionView, step_id: number): TraceStep {
  const place = placeOf(view.steps, step_id, (step) => step.step_id);
  const known = view.steps[place];
  if (known?.step_id === step_id) return known;
  const planned = view.plan?.steps.find(({ id }) => id === step_id);
  const step: TraceStep = {
    step_id,
    description: planned?.description ?? "",
    tool: planned?.tool ?? null,
    tool_params: planned?.tool_params ?? null,
    depends_on: [...(planned?.depends_on ?? [])],
    ran: false,
    status: "running",
    started_at: null,
    ended_at: null,
    output: null,
    trace: null,
    deliverable: null,
    artifacts: null,
    reason: null,
    metadata: null,
    attempt_count: 0,
    attempts: [],
    guidance: [],
  };
  view.steps.splice(place, 0, step);
  return step;
}

function attemptOf(view: SessionView, step_id: number, number: number): TraceAttempt {
  const step = stepOf(view, step_id);
  step.ran = true;
  const place = placeOf(step.attempts, number, ({ attempt }) => attempt);
  const known = step.attempts[place];
  if (known?.attempt === number) return known;
  const attempt: TraceAttempt = {
    attempt: number,
    guidance: [],
    context: null,
    status: "running",
    output: null,
    deliverable: null,
    artifacts: null,
    error: null,
    usage: null,
    duration_us: null,
    validation: null,
  };
  step.attempts.splice(place, 0, attempt);
  step.attempt_count = Math.max(step.attempt_count, step.attempts.length);
  return attempt;
}

/** Applies one of the session's own events, in order. */
export function applySessionEvent(view: SessionView, event: AtlasEvent): void {
  const at = event.meta.occurred_at;
  if (event.meta.time_assumed) view.time_assumed = true;
  if (isMadeUp(event)) view.simulated = true;
  switch (event.type) {
    case "SessionStarted":
      view.started ??= event;
      view.created_at ??= at;
      if (view.status === "unknown") view.status = "running";
      return;
    case "SessionEnded": {
      if (view.completed_at !== null) return;
      const { final_answer, error, usage, cost, duration_us } = event;
      view.ended = event;
      view.status = event.status as TraceStatus;
      view.completed_at = at;
      view.final_answer = final_answer ?? null;
      view.error = error ?? null;
      view.usage = usage ?? null;
      view.cost = cost ?? null;
      view.duration_us = duration_us ?? null;
      return;
    }
    case "SessionAbandoned":
      if (view.completed_at !== null) return;
      view.status = "abandoned";
      view.completed_at = at;
      view.error = event.reason;
      return;
    case "TaskTriaged":
      view.triage = { adapter: event.adapter, dossier: event.dossier };
      return;
    case "LaneSelected": {
      const { lane, reason, confidence, probe } = event;
      view.lanes.push({ lane, reason, confidence: confidence ?? null, probe: probe ?? null });
      return;
    }
    case "PlanProposed":
      view.plan = event.plan;
      return;
    case "PlanReviewed":
      view.plan = event.plan;
      view.plan_concerns = event.concerns;
      return;
    case "JudgementMade":
      view.judgements.push(event);
      return;
    case "JudgementFailed":
      view.judgement_failures.push(event);
      return;
    case "SessionJudged":
      view.judged ??= event;
      return;
    default:
      applyStepEvent(view, event);
  }
}

function applyStepEvent(view: SessionView, event: AtlasEvent): void {
  const at = event.meta.occurred_at;
  const ran = (step_id: number): TraceStep => {
    const step = stepOf(view, step_id);
    step.ran = true;
    return step;
  };
  switch (event.type) {
    case "StepStarted": {
      const step = ran(event.step_id);
      step.started_at ??= at;
      step.description = event.description;
      step.tool = event.tool ?? null;
      step.tool_params = event.tool_params ?? null;
      step.depends_on = event.depends_on;
      return;
    }
    case "AttemptStarted": {
      const attempt = attemptOf(view, event.step_id, event.attempt);
      attempt.guidance = event.guidance;
      attempt.context = event.context ?? null;
      return;
    }
    case "AttemptEnded": {
      const attempt = attemptOf(view, event.step_id, event.attempt);
      attempt.status = event.status;
      attempt.output = event.output ?? null;
      attempt.deliverable = event.deliverable ?? null;
      attempt.artifacts = event.artifacts ?? null;
      attempt.error = event.error ?? null;
      attempt.usage = event.usage ?? null;
      attempt.duration_us = event.duration_us ?? null;
      return;
    }
    case "StepValidated": {
      const { verdict, reason, cached, duration_us } = event;
      attemptOf(view, event.step_id, event.attempt).validation = {
        verdict,
        reason: reason ?? null,
        cached,
        duration_us: duration_us ?? null,
      };
      return;
    }
    case "GuidanceGiven":
      ran(event.step_id).guidance.push(event.note);
      return;
    case "StepSkipped": {
      const step = stepOf(view, event.step_id);
      step.status = "skipped";
      step.ended_at = at;
      step.reason = event.reason;
      return;
    }
    case "StepEnded": {
      const step = ran(event.step_id);
      step.status = event.status;
      step.ended_at = at;
      step.attempt_count = event.attempts;
      step.output = event.output ?? null;
      step.trace = event.trace ?? null;
      step.deliverable = event.deliverable ?? null;
      step.artifacts = event.artifacts ?? null;
      step.reason = event.reason ?? null;
      step.metadata = event.metadata ?? null;
      return;
    }
    default:
  }
}
