/** What a user needs to write a processor and to prove that it is one. */

export {
  type AvroEvent,
  type DefinedEvent,
  defineEvent,
  type EventDefinition,
  type NewMeta,
  type ZodEvent,
} from "../schemas/define-event.ts";
export type { Rules, RulesLookup } from "../schemas/rules.ts";
export { type CheckOptions, checkProcessor } from "./check-processor.ts";
export { defineProcessor, type PipeDefinition, type ReducerDefinition } from "./define-processor.ts";
export { type DurableOptions, type DurableStep, durable } from "./durable.ts";
export { distinctBy, joinLatest, ofType, scanState, slidingWindow } from "./operators.ts";
export {
  type Cause,
  type DefinedEmission,
  derive,
  type Emission,
  type EmissionOf,
  type EventKind,
  type EventOfKind,
  type Output,
  type Pipe,
  type Processor,
  type Reduce,
} from "./processor.ts";
