import { AtlasError } from "../errors/atlas-error.ts";
import { groupOfVersion, versionOfGroup } from "../log/runner/versions.ts";
import type { Processor } from "../processors/processor.ts";
import type { EventDescription } from "../schemas/event-definitions.ts";
import { TOPICS, type Topic, topicOf } from "../schemas/topics.ts";
import { STAGES, type Stage } from "./stage-list.ts";

/** What fills a read model, as far as the order of groups is concerned. */
export interface FillsReadModel {
  readonly name: string;
  readonly version: number;
  readonly group: string;
  readonly inputs: readonly Topic[];
  readonly events: readonly EventDescription[];
}

/** What a user adds to a log's consumers. */
export interface UserParts<P extends FillsReadModel = FillsReadModel> {
  readonly processors: readonly Processor[];
  readonly projections: readonly P[];
}

/** Nothing. */
export const NO_PARTS: UserParts<never> = { processors: [], projections: [] };

/** Names of groups that are taken. */
const TAKEN: ReadonlySet<string> = new Set([
  ...STAGES.map(({ group }) => versionOfGroup(group)?.name ?? group),
  "alerts",
  "judging",
  "jsonl-sink",
  "metrics",
]);

const refuse = (name: string, problem: string, hint: string): never => {
  throw new AtlasError("ATLAS_PROCESSOR_INVALID", problem, { where: `processor ${name}`, hint });
};

const outputsOf = ({ emits }: Processor): Topic[] => emits.map((type) => topicOf(type as never));

/**
 * Checks what a user adds, and puts processors into the order in which facts flow through them.
 *
 * @throws AtlasError ATLAS_PROCESSOR_INVALID where two have one name, one emits to a topic of Atlas, or they feed each other
 */
export function checkedParts<P extends FillsReadModel>({
  processors,
  projections,
}: UserParts<P>): UserParts<P> {
  const names = new Set(TAKEN);
  for (const { name, version } of [...processors, ...projections]) {
    const group = groupOfVersion({ name, version });
    if (names.has(name) || names.has(group))
      refuse(name, "its name is taken", "Each consumer of a log has a name of its own.");
    names.add(group);
  }
  for (const processor of processors) {
    const ours = outputsOf(processor).find((topic) => (TOPICS as readonly Topic[]).includes(topic));
    if (ours !== undefined)
      refuse(
        processor.name,
        `it emits to ${ours}, which Atlas writes`,
        "Emit events of your own, that defineEvent makes.",
      );
  }
  return { processors: inOrder(processors), projections };
}

function inOrder(processors: readonly Processor[]): Processor[] {
  const ordered: Processor[] = [];
  let left = [...processors];
  while (left.length > 0) {
    const written = new Set(left.flatMap(outputsOf));
    const ready = left.filter(({ inputs }) => !inputs.some((topic) => written.has(topic)));
    if (ready.length === 0) {
      const names = left.map(({ name }) => name).join(", ");
      refuse(left[0]!.name, `these feed each other: ${names}`, "What comes of a fact must come to an end.");
    }
    for (const one of ready) ordered.push(one);
    left = left.filter((one) => !ready.includes(one));
  }
  return ordered;
}

/** Every group of a log with these parts, in the order in which facts flow. */
export const stagesWith = ({ processors, projections }: UserParts): readonly Stage[] => [
  ...STAGES,
  ...processors.map((processor) => ({ group: groupOfVersion(processor), topics: processor.inputs })),
  ...projections.map(({ group, inputs }) => ({ group, topics: inputs })),
];

/** Every event that users defined for these parts, each once. */
export const eventsOf = ({ processors, projections }: UserParts): EventDescription[] => [
  ...new Map(
    [...processors, ...projections].flatMap(({ events }) => events).map((event) => [event.type, event]),
  ).values(),
];
