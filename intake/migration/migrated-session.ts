import { learningKeyOf } from "../../recording/learning-key.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { Draft, EventOf, EventType, Micros, Uuid } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import type { Masked, Masking } from "../../schemas/masked.ts";
import { splitContent } from "../../traces/content.ts";
import type { OldReward } from "./old-reward.ts";
import type { OldSession } from "./old-session.ts";
import type { OldStep } from "./old-step.ts";

/** How a session of the Python SDK becomes one of this log. */
export interface MigrationOptions {
  /** When a session without times happened. */
  assumedStart: Micros;
  /** The rules that everything derived from the session works by. */
  rulesHash: string;
  /** The mask of the log that the session is for. */
  mask: Masking;
}

/** A session of the Python SDK as events. */
export interface MigratedSession {
  sessionId: Uuid;
  /** The session's own, with contiguous sequences from 1. */
  events: Masked[];
  /** What was decided about it; none while it was pending. */
  decisions: Masked[];
}

/** Who approved or quarantined: the old database does not say. */
const MIGRATION = "migration";
const AGENT = "python-sdk";

type Emit = <T extends EventType>(type: T, draft: Draft<T>, at?: Micros) => Uuid;

/** Emits events between two moments; those without a time of their own follow the one before by a microsecond. */
function eventWriter(sessionId: Uuid, from: Micros, events: Masked[], mask: Masking): Emit {
  let sequence = 0;
  let next = from;
  return (type, draft, at) => {
    const occurred_at = at ?? next;
    next = Math.max(next, occurred_at) + 1;
    const nextMeta = () => {
      sequence += 1;
      return {
        event_id: idOf(sessionId, sequence),
        session_id: sessionId,
        source: sessionId,
        sequence,
        occurred_at,
        time_assumed: at === undefined,
      };
    };
    const event = mask(createEvent(type, nextMeta(), draft));
    for (const part of splitContent(event, nextMeta)) events.push(part);
    return event.meta.event_id;
  };
}

function emitStep(step: OldStep, emit: Emit): void {
  const { id: step_id, status, output, guidance } = step;
  emit("StepStarted", {
    step_id,
    description: step.description,
    tool: step.tool ?? null,
    tool_params: step.toolParams,
    depends_on: step.dependsOn,
  });
  step.attempts.forEach(({ output: answered, verdict }, index) => {
    const attempt = index + 1;
    emit("AttemptStarted", { step_id, attempt, guidance: guidance.slice(0, index) });
    emit("AttemptEnded", { step_id, attempt, status: "completed", output: answered ?? null });
    if (verdict !== undefined) {
      emit("StepValidated", { step_id, attempt, verdict: verdict.verdict, reason: verdict.reason ?? null });
    }
    const isLast = attempt === step.attempts.length;
    for (const note of isLast ? guidance.slice(index) : guidance.slice(index, index + 1))
      emit("GuidanceGiven", { step_id, attempt, note });
  });
  emit("StepEnded", {
    step_id,
    status,
    attempts: step.attempts.length,
    output: output ?? null,
    trace: step.trace ?? null,
    deliverable: step.deliverable,
    artifacts: step.artifacts,
    metadata: step.metadata,
  });
}

/** Records what was judged, of the session or of a step; returns the ids of what is valid. */
function emitJudgements(reward: OldReward, stepId: number | undefined, emit: Emit, at: Micros): Uuid[] {
  const scope = stepId === undefined ? "session" : "step";
  const about = { scope, step_id: stepId ?? null, stage: "recorded" };
  const made: Uuid[] = [];
  for (const { judge, score, uncertainty, rationale, principles, temperature } of reward.judgements) {
    const common = { ...about, judge, temperature: temperature ?? null };
    const known = uncertainty !== undefined && uncertainty >= 0 && uncertainty <= 1 ? uncertainty : null;
    if (score < 0 || score > 1) {
      emit("JudgementFailed", { ...common, reason: `its score ${score} is not between 0 and 1` }, at);
      continue;
    }
    const judgement = { ...common, score, uncertainty: known, rationale: rationale ?? null, principles };
    made.push(emit("JudgementMade", judgement, at));
  }
  if (reward.failure !== undefined)
    emit("JudgementFailed", { ...about, judge: "session_reward", reason: reward.failure }, at);
  return made;
}

const agentOf = ({ agent }: OldSession): string => agent ?? AGENT;

const learningKeyFor = (old: OldSession): string =>
  old.learningKey ??
  learningKeyOf({ agent: agentOf(old), task: old.task, tags: old.tags, tenant: old.tenant });

function decisionOn(
  old: OldSession,
  sessionId: Uuid,
  learning_key: string,
  at: Micros,
): EventOf<"ReviewDecided">[] {
  if (old.reviewStatus === "pending") return [];
  // One source a status: a decision has the same bytes whenever it is taken over, and readers drop the second.
  const source = `${MIGRATION}/${sessionId}/${old.reviewStatus}`;
  const meta = {
    event_id: idOf(source),
    session_id: sessionId,
    source,
    sequence: 1,
    occurred_at: at,
    time_assumed: true,
  };
  const note = old.reviewNotes ?? null;
  const decided = { learning_key, decision: old.reviewStatus, author: MIGRATION, note, on_status: "pending" };
  return [createEvent("ReviewDecided", meta, decided)];
}

/**
 * A session of the Python SDK as the events that it would have been. The same session gives the same ids whenever and
 * wherever it is migrated. Rewards become judgements, from which the reward is computed as for any other session.
 *
 * @example
 * const { events, decisions } = migratedSession(old, { assumedStart: 0, rulesHash, mask: log.mask });
 */
export function migratedSession(
  old: OldSession,
  { assumedStart, rulesHash, mask }: MigrationOptions,
): MigratedSession {
  const learning_key = learningKeyFor(old);
  const sessionId = idOf("migrated", old.contentHash);
  const from = old.startedAt ?? old.endedAt ?? assumedStart;
  const events: Masked[] = [];
  const emit = eventWriter(sessionId, from, events, mask);

  const started: Draft<"SessionStarted"> = {
    task: old.task,
    learning_key,
    agent: agentOf(old),
    agent_kind: AGENT,
    origin: "migration",
    external_id: old.externalId ?? null,
    project: old.project ?? null,
    tenant: old.tenant ?? null,
    tags: old.tags,
    ground_truth: old.groundTruth ?? null,
    executor_system_prompt: old.systemPrompt ?? null,
    metadata: old.metadata === "{}" ? null : old.metadata,
  };
  emit("SessionStarted", started, old.startedAt);
  if (old.triage !== null) emit("TaskTriaged", { adapter: MIGRATION, dossier: old.triage });
  if (old.lane !== undefined) {
    const chosen = { lane: old.lane, confidence: old.confidence ?? null, probe: old.probe };
    emit("LaneSelected", { ...chosen, reason: MIGRATION });
  }
  if (old.plan !== undefined) emit("PlanProposed", { plan: old.plan, author: "student" });
  for (const step of old.steps) emitStep(step, emit);
  old.events.forEach(({ at, raw }, index) => {
    emit("ForeignEventRecorded", { index, event: raw }, at);
  });
  const written = events.at(-1)!.meta.occurred_at;
  // Readers order sessions by their end: an assumed one stands right behind what was recorded.
  const end = old.endedAt ?? Math.max(written, from) + 1;
  const measured = old.startedAt !== undefined && old.endedAt !== undefined && old.endedAt >= old.startedAt;
  const ended: Draft<"SessionEnded"> = {
    learning_key,
    status: old.status,
    final_answer: old.finalAnswer ?? null,
    usage: old.usage ?? null,
    duration_us: measured ? old.endedAt! - old.startedAt! : null,
  };
  emit("SessionEnded", ended, old.endedAt);
  const judgements = [
    ...(old.reward === undefined ? [] : emitJudgements(old.reward, undefined, emit, end)),
    ...old.steps.flatMap(({ id, reward }) =>
      reward === undefined ? [] : emitJudgements(reward, id, emit, end),
    ),
  ];
  const missing = judgements.length === 0 ? ["session_reward"] : [];
  emit("SessionJudged", { learning_key, judgements, missing, rules_hash: rulesHash }, end);
  return { sessionId, events, decisions: decisionOn(old, sessionId, learning_key, end).map(mask) };
}
