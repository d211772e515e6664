import { createEvent } from "../../schemas/codec.ts";
import type { AtlasEvent, Draft, EventType, Meta, Uuid } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { rewardSourceOf, type Speaker, sourceOf } from "../../schemas/sources.ts";

const KEY = "closing";
const START = Date.UTC(2026, 0, 1) * 1000;

/** The meta of what a speaker says of a session: the same whenever it is asked for. */
const metaOf = (session: Uuid, speaker: Speaker, sequence: number): Meta => {
  const source = sourceOf(speaker, session);
  const event_id = idOf(source, sequence);
  const occurred_at = START + sequence;
  return { event_id, session_id: session, source, sequence, occurred_at, time_assumed: false };
};

/** The sequences of a speaker, one after the other. */
function speaking(session: Uuid, speaker: Speaker, first = 1) {
  let sequence = first - 1;
  return <T extends EventType>(type: T, draft: Draft<T>) => {
    sequence += 1;
    return createEvent(type, metaOf(session, speaker, sequence), draft);
  };
}

/** What a session says of itself, to its end. */
export function ended(session: Uuid, steps = 3): AtlasEvent[] {
  const say = speaking(session, "session");
  return [
    say("SessionStarted", { task: "Count.", learning_key: KEY, agent: "counter" }),
    ...Array.from({ length: steps }, (_, index) =>
      say("StepSkipped", { step_id: index + 1, reason: "because" }),
    ),
    say("SessionEnded", { learning_key: KEY, status: "succeeded" }),
  ];
}

/** What comes to a session that has said `first - 1` things: a judgement, and the end of them. */
function judged(session: Uuid, speaker: Speaker, first = 1): AtlasEvent[] {
  const say = speaking(session, speaker, first);
  const made = say("JudgementMade", { judge: "outcome", stage: "sample", score: 0.5 });
  const judgements = [made.meta.event_id];
  return [made, say("SessionJudged", { learning_key: KEY, judgements, missing: [], rules_hash: "r" })];
}

const abandoned = (session: Uuid): AtlasEvent[] => [
  speaking(session, "reaper")("SessionAbandoned", { learning_key: KEY, deadline: 1, reason: "late" }),
];

/** A whole session, closed by one of those who can. */
export function closedBy(closer: Speaker, session: Uuid): AtlasEvent[] {
  const own = ended(session);
  if (closer === "reaper") return [...own.slice(0, -1), ...abandoned(session)];
  return [...own, ...judged(session, closer, closer === "session" ? own.length + 1 : 1)];
}

/** What a session says after it was closed, which it should not. */
export function afterwards(session: Uuid, count = 1): AtlasEvent[] {
  const say = speaking(session, "session", 100);
  return Array.from({ length: count }, (_, index) =>
    say("StepSkipped", { step_id: 50 + index, reason: "late" }),
  );
}

/** The reward that follows from a session. */
export function rewardOf(session: Uuid): AtlasEvent {
  const source = rewardSourceOf(session);
  const meta = { ...metaOf(session, "session", 1), source, event_id: idOf(source, 1) };
  return createEvent("SessionRewarded", meta, {
    learning_key: KEY,
    score: 0.5,
    statistics: { score_mean: 0.5, score_stddev: 0, sample_count: 1 },
    status: "succeeded",
    agent: "counter",
    started_at: START,
    completed_at: START,
  });
}
