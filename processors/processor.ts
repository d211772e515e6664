import type { Observable } from "rxjs";
import { AtlasError } from "../errors/atlas-error.ts";
import type { Draft, EventOf, EventType, Meta } from "../schemas/generated/events.ts";
import type { RulesLookup } from "../schemas/rules.ts";
import { type Topic, topicOf } from "../schemas/topics.ts";

/** The event that a derived one comes from; a processor may keep these few fields of it in its state. */
export interface Cause {
  meta: Pick<Meta, "event_id" | "session_id" | "occurred_at" | "time_assumed" | "trace_id">;
}

/** A derived event without its envelope, which is computed from the cause. */
export interface EmissionOf<T extends EventType> {
  type: T;
  draft: Draft<T>;
  /** Gives the derived event its time, session and trace, and takes part in its id. */
  cause: Cause;
  /** The rules that it was computed by; empty where no rule took part. */
  rulesHash: string;
  /** Tells apart what one cause gives rise to; the place within the output unless told. */
  ordinal?: number;
}

/** An emission of any event. */
export type Emission = { [T in EventType]: EmissionOf<T> }[EventType];

/** What a processor makes of one fact. */
export interface Output<State> {
  /** Plain JSON, small; undefined forgets the key. */
  state: State | undefined;
  emit: readonly Emission[];
  /**
   * The key has said all that it ever will: with its state, which has to be undefined, the count of what it emitted is
   * forgotten, so that nothing is kept of it. If it emits again all the same, readers drop that as a repetition.
   */
  over?: boolean;
}

/**
 * Turns the facts of one key, in their order, into exactly one output each, synchronously. `state` is what the
 * last output held, or undefined for a key that is new or was forgotten.
 */
export type Process<T extends EventType, State> = (
  facts$: Observable<EventOf<T>>,
  state: State | undefined,
  rules: RulesLookup,
) => Observable<Output<State>>;

/**
 * A pure function of events and of its own state for each key: no clock, no I/O, no chance, nothing remembered
 * elsewhere. That is what makes everything derived from the log the same wherever it is computed.
 */
export interface Processor<State = unknown, T extends EventType = EventType> {
  readonly name: string;
  /** Raised with every change of logic that may change a result or the shape of the state. */
  readonly version: number;
  readonly inputs: readonly Topic[];
  readonly output: Topic;
  /** The only events that it is given. */
  readonly facts: readonly T[];
  /** Which state a fact belongs to. Facts of one key must share a partition. */
  key(fact: EventOf<T>): string;
  process(
    facts$: Observable<EventOf<T>>,
    state: State | undefined,
    rules: RulesLookup,
  ): Observable<Output<State>>;
}

/**
 * Defines a processor.
 *
 * @throws AtlasError ATLAS_PROCESSOR_INVALID when a fact is on none of the inputs, or the output is one of them
 * @example
 * const reviews = defineProcessor({
 *   name: "reviews", version: 1, inputs: ["atlas.decisions"], output: "atlas.review-status",
 *   facts: ["ReviewDecided"],
 *   key: (fact) => fact.meta.session_id ?? "",
 *   process: fold<"ReviewDecided", { seen: number }>((state) => ({
 *     state: { seen: (state?.seen ?? 0) + 1 }, emit: [],
 *   })),
 * });
 */
export function defineProcessor<State, const T extends EventType>(
  definition: Processor<State, T>,
): Processor<State, T> {
  const { name, version, inputs, output, facts } = definition;
  const refuse = (problem: string, hint: string): never => {
    throw new AtlasError("ATLAS_PROCESSOR_INVALID", problem, { where: `processor ${name}`, hint });
  };
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    refuse(`its name is ${JSON.stringify(name)}`, "Use lower-case letters, digits and hyphens.");
  }
  if (!Number.isInteger(version) || version < 1) {
    refuse(`its version is ${version}`, "Use a whole number from 1.");
  }
  if (inputs.includes(output)) {
    refuse(`it writes to its own input ${output}`, "Give it another output topic.");
  }
  for (const fact of facts) {
    if (!inputs.includes(topicOf(fact))) {
      refuse(`${fact} is on ${topicOf(fact)}, which is not among its inputs`, "Add the topic to `inputs`.");
    }
  }
  return definition;
}
