import { scan } from "rxjs";
import type { EventOf, EventType } from "../schemas/generated/events.ts";
import type { RulesLookup } from "../schemas/rules.ts";
import type { Output, Process } from "./processor.ts";

/** Makes the next output of the last state and one fact, changing neither. */
export type Reducer<T extends EventType, State> = (
  state: State | undefined,
  fact: EventOf<T>,
  rules: RulesLookup,
) => Output<State>;

/**
 * Makes a processor's `process` of a reducer: one output for each fact.
 *
 * @example
 * process: fold<"ReviewDecided", { seen: number }>((state) => ({
 *   state: { seen: (state?.seen ?? 0) + 1 }, emit: [],
 * }))
 */
export const fold =
  <T extends EventType, State>(reduce: Reducer<T, State>): Process<T, State> =>
  (facts$, state, rules) => {
    const before: Output<State> = { state, emit: [] };
    return facts$.pipe(scan((last, fact) => reduce(last.state, fact, rules), before));
  };
