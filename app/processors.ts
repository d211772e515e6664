/** The entry `atlas-sdk/processors`: events, processors and read models of your own, and the proof that a processor is one. */

export { type CheckOptions, checkProcessor } from "../processors/check-processor.ts";
export {
  defineProcessor,
  type PipeDefinition,
  type ReducerDefinition,
} from "../processors/define-processor.ts";
export { type DurableOptions, type DurableStep, durable } from "../processors/durable.ts";
export { distinctBy, joinLatest, ofType, scanState, slidingWindow } from "../processors/operators.ts";
export {
  type Cause,
  type DefinedEmission,
  derive,
  type Emission,
  type EmissionOf,
  type Output,
  type Pipe,
  type Processor,
  type Reduce,
} from "../processors/processor.ts";
export {
  defineProjection,
  type Projection,
  type ProjectionDefinition,
} from "../projections/define-projection.ts";
export {
  type AvroEvent,
  type DefinedEvent,
  defineEvent,
  type EventDefinition,
  type NewMeta,
  type ZodEvent,
} from "../schemas/define-event.ts";
export type { EventKind, EventOfKind } from "../schemas/event-kinds.ts";
export type { Rules, RulesLookup } from "../schemas/rules.ts";
