import { AtlasError } from "../../errors/atlas-error.ts";
import { shortTopic } from "../../log/lost-records.ts";
import type { Processor } from "../../processors/processor.ts";
import { type Topic, topicOf } from "../../schemas/topics.ts";

/**
 * The derived topics of these names: whole ones, those of Atlas without their `atlas.`, or the last part of a topic where no
 * other one ends so.
 *
 * @throws AtlasError ATLAS_REBUILD_INVALID for a topic that no processor emits to
 * @example
 * topicsNamed(["rewards", "acme.loops"], [...PROCESSORS, loopDetection]); // ["atlas.rewards", "acme.loops"]
 */
export function topicsNamed(names: readonly string[], processors: readonly Processor[]): Topic[] {
  const derived = [
    ...new Set(processors.flatMap(({ emits }) => emits.map((type) => topicOf(type as never)))),
  ];
  const found = (name: string): Topic => {
    const whole = derived.find((topic) => topic === name || shortTopic(topic) === name);
    const ending = derived.filter((topic) => topic.endsWith(`.${name}`));
    const topic = whole ?? (ending.length === 1 ? ending[0] : undefined);
    if (topic !== undefined) return topic;
    const known = derived.map(shortTopic).join(", ");
    throw new AtlasError("ATLAS_REBUILD_INVALID", `no processor emits to ${JSON.stringify(name)}`, {
      where: "topics",
      hint: `What is derived can be computed again: ${known}. What happened, and what people said, cannot.`,
    });
  };
  return [...new Set(names.map(found))];
}
