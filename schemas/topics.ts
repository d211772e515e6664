import { AtlasError } from "../errors/atlas-error.ts";
import { descriptionOf, type UserTopic, userTopics } from "./event-definitions.ts";
import type { AtlasEvent, EventType } from "./generated/events.ts";

/** Every topic of Atlas, in the order in which facts flow through them. */
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

/** The name of a topic of Atlas. */
export type AtlasTopic = (typeof TOPICS)[number];

/** The name of a topic: one of Atlas, or one of events that a user defined. */
export type Topic = AtlasTopic | UserTopic;

/** Every topic of Atlas, and after them those that users have defined in this process. */
export const knownTopics = (): readonly Topic[] => [...TOPICS, ...userTopics()];

/** What happened, and what people and models said: nothing else is needed to rebuild the rest. */
export const PRIMARY_TOPICS = [
  "atlas.sessions",
  "atlas.decisions",
  "atlas.learning",
] as const satisfies AtlasTopic[];
/** What processors computed from the primary topics, and can compute again. */
export const DERIVED_TOPICS = [
  "atlas.rewards",
  "atlas.drift",
  "atlas.review-status",
  "atlas.conclusions",
  "atlas.lessons",
] as const satisfies AtlasTopic[];

/** Holds what was derived under other rules than those in force, of every branch: readers of live topics never see it. */
export const BRANCHES = "atlas.branches" satisfies AtlasTopic;
/** Every topic but that of branches. */
export const LIVE_TOPICS: readonly Topic[] = TOPICS.filter((topic) => topic !== BRANCHES);

const ELSEWHERE: Partial<Record<EventType, AtlasTopic>> = {
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
export const topicOf = (type: EventType): Topic =>
  ELSEWHERE[type] ?? descriptionOf(type)?.topic ?? "atlas.sessions";

/**
 * The topic that an event is written to: the one of its type, or the one of branches.
 *
 * @example
 * destinationOf(rewarded); // "atlas.rewards"
 */
export const destinationOf = ({ type, meta }: AtlasEvent): Topic =>
  (meta.derivation?.branch ?? null) === null ? topicOf(type) : BRANCHES;

/**
 * The key that decides an event's partition: the session on `atlas.sessions`, the learning key elsewhere,
 * `eval:<id>` for an eval, and for an event that a user defined the field that its definition names.
 *
 * @throws AtlasError ATLAS_EVENT_INVALID for a session event without a session
 * @example
 * keyOf(event); // "code-review"
 */
export function keyOf(event: AtlasEvent): string {
  const described = descriptionOf(event.type);
  if (described?.key !== undefined) return (event as unknown as Record<string, string>)[described.key]!;
  if ("eval_id" in event) return `eval:${event.eval_id}`;
  if (described === undefined && topicOf(event.type) !== "atlas.sessions")
    return "learning_key" in event ? event.learning_key : SHARED_KEY;
  const session = event.meta.session_id;
  if (session === null || session === undefined) {
    throw new AtlasError("ATLAS_EVENT_INVALID", `${event.type} has no session_id`, {
      where: `event ${event.meta.event_id}`,
    });
  }
  return session;
}
