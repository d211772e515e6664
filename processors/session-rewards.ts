import { createHash } from "node:crypto";
import type { EventOf, EventType, Micros, SessionJudged, Uuid } from "../schemas/generated/events.ts";
import { RELEASED_SCHEMAS } from "../schemas/generated/released.ts";
import { type RulesLookup, stableJson } from "../schemas/rules.ts";
import { topicOf } from "../schemas/topics.ts";
import { aggregate, type Judgement } from "./aggregate-judgements.ts";
import { defineProcessor } from "./define-processor.ts";
import { sessionOf } from "./fact-fields.ts";
import type { Cause, Emission, Output } from "./processor.ts";

/** All that a session can say: what is missing of it shows only to whoever counts every event. */
const FACTS = [...new Set(RELEASED_SCHEMAS.map(({ name }) => name as EventType))].filter(
  (type) => topicOf(type) === "atlas.sessions",
);

/** What is known of a session that has no reward yet. */
interface SessionState {
  /** The sequence that the session's own source has to go on with. */
  next: number;
  /** An event of its own source is missing. */
  gap: boolean;
  /** Models that answered for the student, in the order of their names. */
  models: string[];
  started?: { at: Micros; agent: string; tags: string[]; configuration: string; after: Uuid | null };
  ended?: { at: Micros; status: string; tokens: number | null; duration_us: number | null };
  judged?: Cause & Pick<SessionJudged, "learning_key" | "judgements" | "missing" | "rules_hash">;
  made: (Judgement & { id: Uuid })[];
}

const NEW: SessionState = { next: 1, gap: false, models: [], made: [] };

/**
 * Rewards a session from its judgements: one `SessionRewarded`, once its start, its end, the `SessionJudged` that
 * closes the set and every judgement named there have been seen, in whichever order. It is caused by
 * `SessionJudged`, whose rules it works by. A session without a valid judgement of a weighty judge has no reward.
 * Sequences of the session's own source tell whether the log has all of it.
 *
 * The state is forgotten with the reward, and with it that there was one. A session starts only once, so nothing that comes later, a second
 * `SessionJudged` included, can complete a set again: the first one stands. Of an end and an abandonment the first
 * in the log counts, and an abandoned session has no reward. A judgement that is named but never seen leaves the
 * session without a reward rather than with one that depends on what was lost.
 */
export const sessionRewards = defineProcessor({
  name: "session-rewards",
  version: 2,
  facts: FACTS,
  emits: ["SessionRewarded"],
  key: sessionOf,
  reduce: (saved: SessionState | undefined, fact, rules) => {
    const before = counted(saved ?? NEW, fact);
    switch (fact.type) {
      case "SessionStarted":
        return settle({ ...before, started: startedOf(fact) }, rules);
      case "ModelCallEnded":
        return { state: saved && { ...before, models: withModel(before.models, fact) }, emit: [] };
      case "JudgementMade":
        return settle({ ...before, made: [...before.made, judgementOf(fact)] }, rules);
      case "SessionJudged":
        return settle(before.judged === undefined ? { ...before, judged: judgedOf(fact) } : before, rules);
      case "SessionEnded": {
        const { status } = fact;
        const tokens = fact.usage?.total_tokens ?? null;
        const ended = { at: fact.meta.occurred_at, status, tokens, duration_us: fact.duration_us ?? null };
        return settle({ ...before, ended }, rules);
      }
      case "SessionAbandoned":
        return { state: before.ended === undefined ? undefined : before, emit: [] };
      default:
        // What comes before the start or after the reward leaves nothing behind.
        return { state: saved && before, emit: [] };
    }
  },
});

/** Notes which of its own events a session is at; other sources, such as a judge asked later, count for themselves. */
function counted(state: SessionState, { meta }: EventOf<EventType>): SessionState {
  if (meta.source !== meta.session_id || meta.sequence < state.next) return state;
  return { ...state, next: meta.sequence + 1, gap: state.gap || meta.sequence > state.next };
}

const startedOf = ({ meta, after, agent, tags, ...configured }: EventOf<"SessionStarted">) => ({
  at: meta.occurred_at,
  agent,
  tags: [...tags],
  after: after ?? null,
  configuration: createHash("sha256")
    .update(
      stableJson({ kind: configured.agent_kind ?? null, prompt: configured.executor_system_prompt ?? null }),
    )
    .digest("hex")
    .slice(0, 16),
});

function withModel(models: string[], { role, model, error, content }: EventOf<"ModelCallEnded">): string[] {
  // An answer whose calls cannot be made has an error, and was given all the same.
  const answered = (error ?? null) === null || (content ?? null) !== null;
  const counts = role === "student" && answered && !models.includes(model);
  return counts ? [...models, model].sort() : models;
}

function judgementOf({ meta, judge, scope, step_id, stage, score, uncertainty }: EventOf<"JudgementMade">) {
  const given = { step_id: step_id ?? null, uncertainty: uncertainty ?? null };
  return { id: meta.event_id, judge, scope, stage, score, ...given };
}

function judgedOf({ meta, learning_key, judgements, missing, rules_hash }: SessionJudged) {
  const { event_id, session_id, occurred_at, time_assumed, trace_id } = meta;
  return {
    meta: { event_id, session_id: session_id ?? null, occurred_at, time_assumed, trace_id: trace_id ?? null },
    learning_key,
    judgements: [...judgements],
    missing: [...missing],
    rules_hash,
  };
}

/** Emits the reward and forgets the session where all is there; else keeps what it has. */
function settle(state: SessionState, rules: RulesLookup): Output<SessionState> {
  const { started, ended, judged } = state;
  if (started === undefined || ended === undefined || judged === undefined) return { state, emit: [] };
  const made = new Map(state.made.map((judgement) => [judgement.id, judgement]));
  const named = judged.judgements.map((id) => made.get(id)).filter((judgement) => judgement !== undefined);
  if (named.length < judged.judgements.length) return { state, emit: [] };

  const { score, statistics, ...rest } = aggregate(named, rules(judged.rules_hash).rubric);
  if (score === undefined || statistics === undefined) return { state: undefined, emit: [] };
  const reward: Emission = {
    type: "SessionRewarded",
    cause: judged,
    rulesHash: judged.rules_hash,
    draft: {
      learning_key: judged.learning_key,
      score,
      statistics,
      ...rest,
      judgements: judged.judgements,
      missing: judged.missing,
      status: ended.status,
      agent: started.agent,
      tags: started.tags,
      tokens: ended.tokens,
      duration_us: ended.duration_us,
      started_at: started.at,
      completed_at: ended.at,
      models: state.models,
      configuration: started.configuration,
      complete: !state.gap,
      after: started.after,
    },
  };
  return { state: undefined, emit: [reward], over: true };
}
