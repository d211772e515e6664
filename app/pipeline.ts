import { processorConsumer } from "../derivation/processor-consumer.ts";
import type { RulesStore } from "../derivation/rules.ts";
import { PROCESSORS, READ_MODELS } from "../derivation/stages.ts";
import { explain, isAtlasError } from "../errors/atlas-error.ts";
import type { ConsumeOptions, Consumer, EventLog, RawRecord } from "../log/event-log.ts";
import { createReadModels } from "../projections/read-models.ts";
import { LIVE_TOPICS, type Topic } from "../schemas/topics.ts";

/** What a pipeline tells while it runs. */
export interface PipelineEvents {
  onDeadLetter?: (group: string, record: RawRecord, error: unknown) => void;
  onRetry?: (group: string, error: unknown | undefined) => void;
}

/** The consumers of one process. */
export interface Pipeline {
  readonly consumers: readonly Consumer[];
  /** Rejects with the first consumer that stopped as unhealthy. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

/** Starts every processor and the projection as members of their groups. */
export async function startPipeline(
  log: EventLog,
  rules: RulesStore,
  events: PipelineEvents = {},
): Promise<Pipeline> {
  const readModels = createReadModels();
  const consumers: Consumer[] = [];
  const options = (group: string, topics: readonly Topic[]): ConsumeOptions => ({
    group,
    topics,
    onDeadLetter: (record, error) => events.onDeadLetter?.(group, record, error),
    onRetry: (error) => (events.onRetry ?? warnOfUpgrade)(group, error),
  });
  const stop = async (): Promise<void> => {
    await Promise.all(consumers.map((consumer) => consumer.stop()));
  };
  try {
    for (const processor of PROCESSORS) {
      consumers.push(
        await log.consume(
          { ...options(processor.name, processor.inputs), prepare: rules.load },
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
  } catch (error) {
    await stop();
    throw error;
  }
  const done = Promise.all(consumers.map((consumer) => consumer.done)).then(() => undefined);
  done.catch(() => {});
  return { consumers, done, stop };
}

/** Nobody listens: that nothing is derived until somebody acts must not go unsaid. */
function warnOfUpgrade(_group: string, error: unknown | undefined): void {
  if (!isAtlasError(error, "ATLAS_PROCESSOR_OUTDATED") || warned.has(error.message)) return;
  warned.add(error.message);
  process.emitWarning(explain(error), { code: error.code });
}

const warned = new Set<string>();
