import { answeredElsewhere } from "../derivation/answered-elsewhere.ts";
import { processorConsumer } from "../derivation/processor-consumer.ts";
import type { RulesStore } from "../derivation/rules.ts";
import { READ_MODELS, type Stage } from "../derivation/stage-list.ts";
import { PROCESSORS } from "../derivation/stages.ts";
import { NO_PARTS, stagesWith, type UserParts } from "../derivation/user-parts.ts";
import type { ConsumeOptions, Consumer, EventLog } from "../log/event-log.ts";
import { groupOfVersion } from "../log/runner/versions.ts";
import type { Projection } from "../projections/define-projection.ts";
import { createReadModels } from "../projections/read-models.ts";
import { LIVE_TOPICS, type Topic } from "../schemas/topics.ts";
import { type ConsumerEvents, consumerEvents } from "./consumer-events.ts";

/** The consumers of one process. */
export interface Pipeline {
  /** Its groups and what they read, in the order in which facts flow. */
  readonly stages: readonly Stage[];
  readonly consumers: readonly Consumer[];
  /** Rejects with the first consumer that stopped as unhealthy. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

/** Starts every processor and projection as members of their groups; what users added makes its tables first. */
export async function startPipeline(
  log: EventLog,
  rules: RulesStore,
  events: ConsumerEvents = {},
  parts: UserParts<Projection> = NO_PARTS,
): Promise<Pipeline> {
  const readModels = createReadModels();
  const consumers: Consumer[] = [];
  const options = (group: string, topics: readonly Topic[]): ConsumeOptions => ({
    group,
    topics,
    ...consumerEvents(group, events),
  });
  const stop = async (): Promise<void> => {
    await Promise.all(consumers.map((consumer) => consumer.stop()));
  };
  try {
    for (const processor of [...PROCESSORS, ...parts.processors]) {
      consumers.push(
        await log.consume(
          {
            ...options(groupOfVersion(processor), processor.inputs),
            versioned: { answeredElsewhere: () => answeredElsewhere(log) },
            prepare: rules.load,
          },
          processorConsumer(processor, rules.lookup),
        ),
      );
    }
    consumers.push(
      await log.consume(
        {
          ...options(READ_MODELS, LIVE_TOPICS),
          onAssignmentChange: (partition) => readModels.forget(partition),
        },
        readModels.apply,
      ),
    );
    for (const projection of parts.projections) {
      await projection.prepare(log.db!);
      const { group, inputs, consume } = projection;
      consumers.push(await log.consume(options(group, inputs), consume));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const done = Promise.all(consumers.map((consumer) => consumer.done)).then(() => undefined);
  done.catch(() => {});
  return { stages: stagesWith(parts), consumers, done, stop };
}
