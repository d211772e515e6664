/** What a user needs to write a processor and to prove that it is one. */

export type { Rules, RulesLookup } from "../schemas/rules.ts";
export { type CheckOptions, checkProcessor } from "./check-processor.ts";
export { fold, type Reducer } from "./fold.ts";
export {
  type Cause,
  defineProcessor,
  type Emission,
  type EmissionOf,
  type Output,
  type Process,
  type Processor,
} from "./processor.ts";
