import { createEvent, decodeEvent, encodeEvent } from "../../schemas/codec.ts";
import type { AtlasEvent, Draft, EventType, Meta } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { DEFAULT_RULES, rulesHash } from "../../schemas/rules.ts";

export const RULES = rulesHash(DEFAULT_RULES);

/** The session id that a name stands for. */
export const sessionId = (name: string): string => idOf("session", name);

/** An event as the log gives it back. */
export function stored<T extends AtlasEvent>(event: T): T {
  const { fingerprint, body } = encodeEvent(event);
  return decodeEvent(fingerprint, body) as T;
}

/** Writes the events of one session, each a second after the one before it. */
export function sessionWriter(name: string, start = 1_700_000_000_000_000) {
  const id = sessionId(name);
  const events: AtlasEvent[] = [];
  const nextMeta = (): Meta => {
    const sequence = events.length + 1;
    return {
      event_id: idOf(id, sequence),
      session_id: id,
      source: id,
      sequence,
      occurred_at: start + sequence * 1_000_001,
      time_assumed: false,
    };
  };
  const emit = <T extends EventType>(type: T, draft: Draft<T>): AtlasEvent => {
    const event = stored(createEvent(type, nextMeta(), draft));
    events.push(event);
    return event;
  };
  return { id, events, emit, nextMeta };
}

export interface SessionOptions {
  learningKey?: string;
  start?: number;
  status?: string;
  score?: number;
  task?: string;
  metadata?: string;
  groupId?: string;
}

/** A whole session: a plan of two steps, the first of them tried twice, and a judgement. */
export function wholeSession(name: string, options: SessionOptions = {}): AtlasEvent[] {
  const { learningKey = "counting", status = "succeeded", score = 0.8, task = `Count ${name}` } = options;
  const { events, emit } = sessionWriter(name, options.start);
  emit("SessionStarted", {
    task,
    learning_key: learningKey,
    agent: "counter",
    tags: ["a"],
    ground_truth: "3",
    executor_system_prompt: "Count well.",
    metadata: options.metadata ?? '{"team":"blue","level":3}',
    group_id: options.groupId ?? null,
  });
  emit("TaskTriaged", { adapter: "default", dossier: '{"summary":"counting"}' });
  emit("LaneSelected", { lane: "coach", reason: "new key", confidence: 0.4, probe: '{"mode":"coach"}' });
  const plan = {
    steps: [
      { id: 1, description: "Look", tool: "search", tool_params: '{"query":"x"}', depends_on: [] },
      { id: 2, description: "Count", tool: null, tool_params: null, depends_on: [1] },
    ],
    execution_mode: "stepwise",
  };
  emit("PlanProposed", { plan });
  emit("PlanReviewed", { plan, changed: false });
  emit("StepStarted", { step_id: 1, description: "Look", tool: "search", tool_params: '{"query":"x"}' });
  for (const attempt of [1, 2]) {
    const at = { step_id: 1, attempt };
    emit("AttemptStarted", { ...at, guidance: attempt === 1 ? [] : ["Look again."] });
    emit("ModelCallStarted", {
      ...at,
      call_id: `m${attempt}`,
      role: "student",
      provider: "local",
      model: "small",
      messages: '[{"role":"user","content":"Look"}]',
    });
    emit("ToolCallStarted", {
      ...at,
      call_id: `t${attempt}`,
      parent_id: `m${attempt}`,
      name: "search",
      arguments: '{"query":"x"}',
    });
    emit("ToolCallEnded", { ...at, call_id: `t${attempt}`, name: "search", output: "three" });
    emit("ModelCallEnded", {
      ...at,
      call_id: `m${attempt}`,
      role: "student",
      provider: "local",
      model: "small-1",
      content: `found ${attempt}`,
      usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12, calls: 1 },
    });
    emit("AttemptEnded", { ...at, status: "completed", output: `found ${attempt}`, duration_us: 1500 });
    emit("StepValidated", {
      ...at,
      verdict: attempt === 1 ? "invalid" : "valid",
      reason: attempt === 1 ? "Not all." : null,
    });
    if (attempt === 1) emit("GuidanceGiven", { ...at, note: "Look again." });
  }
  emit("StepEnded", {
    step_id: 1,
    status: "succeeded",
    attempts: 2,
    output: "found 2",
    trace: "looked twice",
    artifacts: '{"list":[1,2,3]}',
    deliverable: '"three"',
  });
  emit("StepStarted", { step_id: 2, description: "Count", depends_on: [1] });
  emit("AttemptStarted", { step_id: 2, attempt: 1 });
  emit("AttemptEnded", { step_id: 2, attempt: 1, status: "completed", output: "3" });
  emit("StepEnded", { step_id: 2, status, attempts: 1, output: "3" });
  emit("SessionEnded", {
    learning_key: learningKey,
    status,
    final_answer: "3",
    usage: { prompt_tokens: 20, completion_tokens: 4, total_tokens: 24, calls: 2 },
    duration_us: 20_000_000,
  });
  const judgement = emit("JudgementMade", {
    judge: "outcome",
    stage: "sample",
    score,
    uncertainty: 0.1,
    rationale: "Right.",
    principles: '[{"name":"accuracy","weight":1,"description":"is it right"}]',
  });
  const step = emit("JudgementMade", {
    judge: "steps",
    scope: "step",
    step_id: 1,
    stage: "sample",
    score: 0.5,
  });
  emit("SessionJudged", {
    learning_key: learningKey,
    judgements: [judgement.meta.event_id, step.meta.event_id],
    rules_hash: RULES,
  });
  return events;
}

/** What processors and people say of a session of {@link wholeSession}: reward, drift, decision, review status. */
export function factsOf(
  events: readonly AtlasEvent[],
  options: { decision?: string; revision?: number; score?: number } = {},
): AtlasEvent[] {
  const { decision = "approved", revision = 0 } = options;
  const started = events.find((event) => event.type === "SessionStarted")!;
  const ended = events.find((event) => event.type === "SessionEnded")!;
  const judged = events.find((event) => event.type === "SessionJudged")!;
  const made = events.filter((event) => event.type === "JudgementMade");
  const score = options.score ?? made[0]!.score;
  const session = started.meta.session_id!;
  const learning_key = started.learning_key;
  const meta = (processor: string, cause: AtlasEvent): Meta => ({
    event_id: idOf(processor, cause.meta.event_id),
    session_id: session,
    source: `${processor}/${session}`,
    sequence: 1 + revision,
    occurred_at: cause.meta.occurred_at,
    time_assumed: false,
    causation_id: cause.meta.event_id,
    derivation: { processor, version: 1, rules_hash: RULES, branch: null, revision },
  });
  const rewarded = createEvent("SessionRewarded", meta("session-rewards", judged), {
    learning_key,
    score,
    statistics: { score_mean: score, score_stddev: 0, sample_count: 1, uncertainty_mean: 0.1 },
    judges: [{ judge: "outcome", score, weight: 1, samples: 1, uncertainty: 0.1, escalated: false }],
    steps: [
      {
        step_id: 1,
        score: 0.5,
        judges: [{ judge: "steps", score: 0.5, weight: 1, samples: 1, escalated: false }],
      },
    ],
    judgements: judged.judgements,
    status: ended.status,
    agent: started.agent,
    tags: started.tags,
    tokens: 24,
    duration_us: 20_000_000,
    started_at: started.meta.occurred_at,
    completed_at: ended.meta.occurred_at,
  });
  const assessed = createEvent("DriftAssessed", meta("drift", rewarded), {
    learning_key,
    completed_at: ended.meta.occurred_at,
    alert: false,
    reason: "insufficient_baseline",
    window: 50,
    threshold: 3,
    metrics: [{ metric: "score", value: score }],
    baseline: [{ metric: "score", sample_count: 0 }],
  });
  const decided = createEvent(
    "ReviewDecided",
    {
      ...meta("person", assessed),
      source: `review/${idOf("decision", session)}`,
      sequence: 1,
      causation_id: null,
      derivation: null,
      occurred_at: judged.meta.occurred_at + 60_000_000,
    },
    { learning_key, decision, author: "Ada", note: "looks right", on_status: "pending" },
  );
  const changed = createEvent("ReviewStatusChanged", meta("review", decided), {
    learning_key,
    from_status: "pending",
    to_status: decision,
    because: "person",
    author: "Ada",
    note: "looks right",
  });
  return [rewarded, assessed, decided, changed].map(stored);
}
