import { AtlasError } from "../errors/atlas-error.ts";
import type { AtlasEvent, EventType } from "./generated/events.ts";

/** Every topic, in the order in which facts flow through them. */
export const TOPICS = [
  "atlas.sessions",
  "atlas.decisions",
  "atlas.learning",
  "atlas.rewards",
  "atlas.drift",
  "atlas.review-status",
  "atlas.conclusions",
  "atlas.lessons",
  "atlas.dead-letters",
  "atlas.branches",
] as const;

/** The name of a topic. */
export type Topic = (typeof TOPICS)[number];

/** What happened, and what people and models said: nothing else is needed to rebuild the rest. */
export const PRIMARY_TOPICS = [
  "atlas.sessions",
  "atlas.decisions",
  "atlas.learning",
] as const satisfies Topic[];
/** What processors computed from the primary topics, and can compute again. */
export const DERIVED_TOPICS = [
  "atlas.rewards",
  "atlas.drift",
  "atlas.review-status",
  "atlas.conclusions",
  "atlas.lessons",
] as const satisfies Topic[];

/** Holds what was derived under other rules than those in force, of every branch: readers of live topics never see it. */
export const BRANCHES = "atlas.branches" satisfies Topic;
/** Every topic but that of branches. */
export const LIVE_TOPICS: readonly Topic[] = TOPICS.filter((topic) => topic !== BRANCHES);

const ELSEWHERE: Partial<Record<EventType, Topic>> = {
  ReviewDecided: "atlas.decisions",
  RulesSet: "atlas.decisions",
  DerivationPromoted: "atlas.decisions",
  SessionErased: "atlas.decisions",
  AnswerCorrected: "atlas.decisions",
  PlaybookRevised: "atlas.learning",
  PlaybookUsed: "atlas.learning",
  LessonProposed: "atlas.learning",
  LessonDecided: "atlas.learning",
  EvalPlanned: "atlas.learning",
  EvalConcluded: "atlas.learning",
  DatasetBuilt: "atlas.learning",
  TrainingLaunched: "atlas.learning",
  TrainingEnded: "atlas.learning",
  SessionRewarded: "atlas.rewards",
  DriftAssessed: "atlas.drift",
  ReviewStatusChanged: "atlas.review-status",
  SessionConcluded: "atlas.conclusions",
  LessonAssessed: "atlas.lessons",
  DeadLettered: "atlas.dead-letters",
  DeadLetterRetried: "atlas.dead-letters",
};

/** Key of the facts that belong to no learning key. */
const SHARED_KEY = "atlas";

/**
 * The topic that events of a type belong to, unless they are of a branch.
 *
 * @example
 * topicOf("SessionRewarded"); // "atlas.rewards"
 */
export const topicOf = (type: EventType): Topic => ELSEWHERE[type] ?? "atlas.sessions";

/**
 * The topic that an event is written to: the one of its type, or the one of branches.
 *
 * @example
 * destinationOf(rewarded); // "atlas.rewards"
 */
export const destinationOf = ({ type, meta }: AtlasEvent): Topic =>
  (meta.derivation?.branch ?? null) === null ? topicOf(type) : BRANCHES;

/**
 * The key that decides an event's partition: the session on `atlas.sessions`, the learning key elsewhere, and
 * `eval:<id>` for an eval.
 *
 * @throws AtlasError ATLAS_EVENT_INVALID for a session event without a session
 * @example
 * keyOf(event); // "code-review"
 */
export function keyOf(event: AtlasEvent): string {
  if ("eval_id" in event) return `eval:${event.eval_id}`;
  if (topicOf(event.type) !== "atlas.sessions")
    return "learning_key" in event ? event.learning_key : SHARED_KEY;
  const session = event.meta.session_id;
  if (session === null || session === undefined) {
    throw new AtlasError("ATLAS_EVENT_INVALID", `${event.type} has no session_id`, {
      where: `event ${event.meta.event_id}`,
    });
  }
  return session;
}
