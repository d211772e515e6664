import { DERIVED_TOPICS, TOPICS, type Topic } from "../schemas/topics.ts";

const derived: ReadonlySet<Topic> = new Set(DERIVED_TOPICS);
const ours: ReadonlySet<Topic> = new Set(TOPICS);

/** A topic as `--topics` takes it: without the `atlas.` of those of Atlas. */
export const shortTopic = (topic: Topic): string => (ours.has(topic) ? topic.replace(/^atlas\./, "") : topic);

/**
 * What to do about records of a topic that are gone: what was derived is computed again, and nothing else can be.
 *
 * @param otherwise for a topic that cannot be computed
 */
export function hintOfLoss(topic: Topic, otherwise: string): string {
  const command = `\`atlas rebuild --derived --topics ${shortTopic(topic)}\``;
  if (derived.has(topic)) return `Compute it again: ${command}.`;
  if (ours.has(topic)) return otherwise;
  return `Where a processor of yours emits it, compute it again: ${command}. ${otherwise}`;
}
