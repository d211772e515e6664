import type { Micros, SessionJudged, Uuid } from "../schemas/generated/events.ts";
import type { RulesLookup } from "../schemas/rules.ts";
import { aggregate, type Judgement } from "./aggregate-judgements.ts";
import { sessionOf } from "./fact-fields.ts";
import { fold } from "./fold.ts";
import { type Cause, defineProcessor, type Emission, type Output } from "./processor.ts";

const FACTS = [
  "SessionStarted",
  "JudgementMade",
  "SessionJudged",
  "SessionEnded",
  "SessionAbandoned",
] as const;
type Fact = (typeof FACTS)[number];

/** What is known of a session that has no reward yet. */
interface SessionState {
  started?: { at: Micros; agent: string; tags: string[] };
  ended?: { at: Micros; status: string; tokens: number | null; duration_us: number | null };
  judged?: Cause & Pick<SessionJudged, "learning_key" | "judgements" | "missing" | "rules_hash">;
  made: (Judgement & { id: Uuid })[];
}

/**
 * Rewards a session from its judgements: one `SessionRewarded`, once its start, its end, the `SessionJudged` that
 * closes the set and every judgement named there have been seen, in whichever order. It is caused by
 * `SessionJudged`, whose rules it works by. A session without a valid judgement of a weighty judge has no reward.
 *
 * The state is forgotten with the reward. A session starts only once, so nothing that comes later, a second
 * `SessionJudged` included, can complete a set again: the first one stands. Of an end and an abandonment the first
 * in the log counts, and an abandoned session has no reward. A judgement that is named but never seen leaves the
 * session without a reward rather than with one that depends on what was lost.
 */
export const sessionRewards = defineProcessor({
  name: "session-rewards",
  version: 1,
  inputs: ["atlas.sessions"],
  output: "atlas.rewards",
  facts: FACTS,
  key: sessionOf,
  process: fold<Fact, SessionState>((before = { made: [] }, fact, rules) => {
    switch (fact.type) {
      case "SessionStarted":
        return settle(
          { ...before, started: { at: fact.meta.occurred_at, agent: fact.agent, tags: [...fact.tags] } },
          rules,
        );
      case "JudgementMade": {
        const { judge, scope, stage, score } = fact;
        const id = fact.meta.event_id;
        const [step_id, uncertainty] = [fact.step_id ?? null, fact.uncertainty ?? null];
        return settle(
          { ...before, made: [...before.made, { id, judge, scope, step_id, stage, score, uncertainty }] },
          rules,
        );
      }
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
    }
  }),
});

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
    },
  };
  return { state: undefined, emit: [reward] };
}
