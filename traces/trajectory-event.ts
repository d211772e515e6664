import type { AtlasEvent, Derivation, Uuid } from "../schemas/generated/events.ts";
import { cleanText } from "./clean-text.ts";

/** An event in the shape in which readers of trajectories know it; every path has one type. */
export interface TrajectoryEvent {
  parent_id: string;
  /** What was going on when it happened. */
  function_ancestry: { function_id: string; function_name: string; parent_id: null; parent_name: null };
  payload: {
    /** LLM_START, TOOL_END, CUSTOM_END and so on. */
    event_type: string;
    /** Seconds since the epoch. */
    event_timestamp: number;
    span_event_timestamp: null;
    framework: null;
    name: string;
    tags: null;
    metadata: TrajectoryMetadata;
    /** What began is input, what came of it is output: the event's own fields as JSON text. */
    data: { input: { value: string } | null; output: { value: string } | null; chunk: null };
    usage_info: null;
    /** The same for the start and the end of one thing; unique within a session. */
    UUID: string;
  };
}

interface TrajectoryMetadata {
  actor: string;
  step_id: number | null;
  attempt: number | null;
  /** Name of the event in the log, and its envelope. */
  event: string;
  event_id: Uuid;
  /** Null for the session itself. */
  source: string | null;
  sequence: number;
  occurred_at: number;
  time_assumed: boolean;
  causation_id: Uuid | null;
  trace_id: string | null;
  /** JSON text. */
  derivation: string | null;
}

interface Span {
  type: string;
  name: string;
  actor: string;
  /** Tells apart the spans of one session. */
  id: string;
  parent: string;
}

type Fields = { step_id?: number | null; attempt?: number | null; parent_id?: string | null };

const stepSpan = (step: number): string => `step-${step}`;
const attemptSpan = (step: number, attempt: number): string => `${stepSpan(step)}-attempt-${attempt}`;

/** The span that something belongs to. */
function enclosing({ step_id, attempt, parent_id }: Fields): string {
  if (parent_id != null) return parent_id;
  if (step_id == null) return "session";
  return attempt == null ? stepSpan(step_id) : attemptSpan(step_id, attempt);
}

const point = (event: AtlasEvent, name: string, actor: string): Span => ({
  type: "CUSTOM_END",
  name,
  actor,
  id: event.meta.event_id,
  parent: enclosing(event as Fields),
});

function spanOf(event: AtlasEvent): Span {
  switch (event.type) {
    case "SessionStarted":
    case "SessionEnded":
    case "SessionAbandoned": {
      const type = event.type === "SessionStarted" ? "WORKFLOW_START" : "WORKFLOW_END";
      return { type, name: "session", actor: "system", id: "session", parent: "root" };
    }
    case "StepStarted":
    case "StepEnded":
    case "StepSkipped": {
      const type = event.type === "StepStarted" ? "TASK_START" : "TASK_END";
      const name = `step_${event.step_id}`;
      return { type, name, actor: "student", id: stepSpan(event.step_id), parent: "session" };
    }
    case "AttemptStarted":
    case "AttemptEnded": {
      const type = event.type === "AttemptStarted" ? "FUNCTION_START" : "FUNCTION_END";
      const id = attemptSpan(event.step_id, event.attempt);
      return {
        type,
        name: `attempt_${event.attempt}`,
        actor: "student",
        id,
        parent: stepSpan(event.step_id),
      };
    }
    case "ModelCallStarted":
    case "ModelCallEnded": {
      const type = event.type === "ModelCallStarted" ? "LLM_START" : "LLM_END";
      return { type, name: event.model, actor: event.role, id: event.call_id, parent: enclosing(event) };
    }
    case "ToolCallStarted":
    case "ToolCallEnded": {
      const type = event.type === "ToolCallStarted" ? "TOOL_START" : "TOOL_END";
      return { type, name: event.name, actor: "tool", id: event.call_id, parent: enclosing(event) };
    }
    case "MessageRecorded":
      return point(event, "message", event.role);
    case "TaskTriaged":
      return point(event, "triage", "system");
    case "LaneSelected":
      return point(event, "adaptive_route", "system");
    case "PlanProposed":
      return point(event, "plan_creation", event.author);
    case "PlanReviewed":
      return point(event, "plan_review", event.author);
    case "StepValidated":
      return point(event, "validation", "teacher");
    case "GuidanceGiven":
      return point(event, "guidance", event.author);
    case "JudgementMade":
    case "JudgementFailed":
      return point(event, "judgement", "judge");
    default:
      return point(event, event.type, "system");
  }
}

/**
 * One of a session's own events as a trajectory event. Nothing is lost: {@link fromTrajectoryEvent} gives it back.
 *
 * @example
 * const row = toTrajectoryEvent(event);
 */
export function toTrajectoryEvent(event: AtlasEvent): TrajectoryEvent {
  const { type, meta: envelope, ...fields } = event;
  // The fields are JSON text, which escapes what Postgres cannot hold; the rest is not.
  const span = cleanText(spanOf(event));
  const meta = cleanText(envelope);
  const value = { value: JSON.stringify(fields) };
  const starts = span.type.endsWith("_START");
  const { step_id = null, attempt = null } = fields as Fields;
  return {
    parent_id: span.parent,
    function_ancestry: {
      function_id: span.parent,
      function_name: span.parent,
      parent_id: null,
      parent_name: null,
    },
    payload: {
      event_type: span.type,
      event_timestamp: meta.occurred_at / 1_000_000,
      span_event_timestamp: null,
      framework: null,
      name: span.name,
      tags: null,
      metadata: {
        actor: span.actor,
        step_id,
        attempt,
        event: type,
        event_id: meta.event_id,
        source: meta.source === meta.session_id ? null : meta.source,
        sequence: meta.sequence,
        occurred_at: meta.occurred_at,
        time_assumed: meta.time_assumed,
        causation_id: meta.causation_id ?? null,
        trace_id: meta.trace_id ?? null,
        derivation: envelope.derivation == null ? null : JSON.stringify(envelope.derivation),
      },
      data: { input: starts ? value : null, output: starts ? null : value, chunk: null },
      usage_info: null,
      UUID: span.id,
    },
  };
}

/**
 * The event that a trajectory event was made from.
 *
 * @example
 * const event = fromTrajectoryEvent(row.event, sessionId);
 */
export function fromTrajectoryEvent(row: TrajectoryEvent, sessionId: Uuid): AtlasEvent {
  const { metadata, data } = row.payload;
  return eventOf(metadata, JSON.parse((data.input ?? data.output)!.value) as object, sessionId);
}

/**
 * The event that a trajectory event was made from, from the two parts of it that say everything.
 *
 * @param fields the event's own fields, parsed
 */
export function eventOf(metadata: TrajectoryMetadata, fields: object, sessionId: Uuid): AtlasEvent {
  const { event_id, source, sequence, occurred_at, time_assumed, causation_id, trace_id } = metadata;
  const derivation = metadata.derivation === null ? null : (JSON.parse(metadata.derivation) as Derivation);
  return {
    type: metadata.event,
    meta: {
      event_id,
      session_id: sessionId,
      source: source ?? sessionId,
      sequence,
      occurred_at,
      time_assumed,
      causation_id,
      trace_id,
      derivation,
    },
    ...fields,
  } as AtlasEvent;
}
