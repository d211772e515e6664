import type { JsonText } from "../../schemas/generated/events.ts";
import { textOf } from "../chat/message.ts";
import type { RecordedConversation, RecordedScore } from "../formats/format.ts";

/** The scale of recorded rewards: what is the worst, and what is the best. */
export interface RewardScale {
  min: number;
  max: number;
}

/** What can be said of a conversation once it was looked at as a whole. */
export interface ConversationFacts {
  task: string;
  /** From 0 to 1; undefined where none was recorded, or none can be derived. */
  reward: number | undefined;
  scores: RecordedScore[];
  metadata: JsonText | undefined;
}

/** The task of a session of which nobody recorded what it was to do. */
export const UNKNOWN_TASK = "(the task is not in the recording)";

/** Sums of fractions miss the end of a scale by so little. */
const EPSILON = 1e-9;

/** A number on the scale from 0 to 1; undefined where it lies outside. */
function scaled(value: number, { min, max }: RewardScale): number | undefined {
  const share = (value - min) / (max - min);
  if (share < -EPSILON || share > 1 + EPSILON) return undefined;
  return Math.min(1, Math.max(0, share));
}

const outside = (what: string, { min, max }: RewardScale): string =>
  `${what} lies outside ${min} to ${max}: it is kept as it is, and no reward is derived (--reward-scale MIN,MAX)`;

/**
 * Looks at a conversation as a whole: its task, and its reward on a scale from 0 to 1. What cannot be used is kept with
 * the metadata and told.
 *
 * @returns the facts, or why it is no session
 */
export function factsOf(
  conversation: RecordedConversation,
  scale: RewardScale,
  note: (what: string) => void,
): ConversationFacts | string {
  const { messages, reward, scores = [], metadata = {}, session } = conversation;
  // What comes back as it was is on the scale already.
  if (session !== undefined)
    return { task: conversation.task ?? "", reward: undefined, scores, metadata: undefined };
  if (messages.length === 0) return "it has no messages";
  const asked = messages.find(({ message }) => message.role === "user" && textOf(message));
  const isAnswered = messages.some(({ message }) => message.role === "assistant");
  const known = conversation.task || textOf(asked?.message);
  if (!known && !isAnswered) return "it has neither a task, nor a user's message with text, nor an answer";
  if (!known) note("what was asked is not in it: the session has no task, and chat formats leave it out");
  const task = known || UNKNOWN_TASK;
  const kept: Record<string, unknown> = {};
  const derived = reward === undefined ? undefined : scaled(reward, scale);
  if (reward !== undefined && derived !== reward) kept.recorded_reward = reward;
  if (reward !== undefined && derived === undefined) note(outside("reward", scale));
  const onScale: RecordedScore[] = [];
  for (const score of scores) {
    const share = scaled(score.score, scale);
    if (share !== score.score)
      kept.recorded_scores = { ...(kept.recorded_scores as object), [score.judge]: score.score };
    if (share === undefined) note(outside(`the score of ${score.judge}`, scale));
    else onScale.push({ ...score, score: share });
  }
  const all = { ...kept, ...metadata };
  return {
    task,
    reward: derived,
    scores: onScale,
    metadata: Object.keys(all).length === 0 ? undefined : JSON.stringify(all),
  };
}
