import { AtlasError } from "../errors/atlas-error.ts";
import { definedAmong, type EventKind, type EventOfKind, topicsOf, typesOf } from "../schemas/event-kinds.ts";
import type { RulesLookup } from "../schemas/rules.ts";
import type { OperatorStates } from "./durable.ts";
import type { KeyRun, Pipe, Processor, Reduce } from "./processor.ts";
import { runPipe } from "./run-pipe.ts";

interface Common<K extends EventKind> {
  /** Lower-case letters, digits and hyphens; unique among those that read one log. */
  name: string;
  /** Raised with every change of logic that may change a result or the shape of the state. */
  version: number;
  /** The events that it looks at. */
  facts: readonly K[];
  /** The events that it may emit. */
  emits: readonly EventKind[];
  /** Which state a fact belongs to. Facts of one key must share a partition, that is, have one key in the log. */
  key(fact: EventOfKind<K>): string;
}

/** A processor as a reducer. */
export interface ReducerDefinition<State, K extends EventKind> extends Common<K> {
  reduce: Reduce<State, K>;
}

/** A processor as a pipe. */
export interface PipeDefinition<K extends EventKind> extends Common<K> {
  pipe: Pipe<K>;
  /**
   * Says which fact is the last one of its key that anything comes of: nothing is remembered after it. Without it, durable
   * operators keep what they have.
   */
  ends?(fact: EventOfKind<K>): boolean;
}

function check({ name, version, facts, emits }: Common<EventKind>): void {
  const refuse = (problem: string, hint: string): never => {
    throw new AtlasError("ATLAS_PROCESSOR_INVALID", problem, { where: `processor ${name}`, hint });
  };
  if (!/^[a-z][a-z0-9-]*$/.test(name))
    refuse(`its name is ${JSON.stringify(name)}`, "Use lower-case letters, digits and hyphens.");
  if (!Number.isInteger(version) || version < 1)
    refuse(`its version is ${version}`, "Use a whole number from 1.");
  if (facts.length === 0) refuse("it looks at no events", "Name them in `facts`.");
  const own = topicsOf(emits).find((topic) => topicsOf(facts).includes(topic));
  if (own !== undefined)
    refuse(`it emits to ${own}, which it reads`, "Give what it emits another topic: it would feed itself.");
}

/**
 * Defines a processor: as a `pipe` over the facts of one key, or as a reducer.
 *
 * @throws AtlasError ATLAS_PROCESSOR_INVALID where it would feed itself, or is named in a way that cannot be used
 * @example
 * const costs = defineProcessor({
 *   name: "costs", version: 1, facts: ["SessionEnded"], emits: [sessionCost],
 *   key: (fact) => fact.meta.session_id ?? "",
 *   pipe: (facts$) => facts$.pipe(map((fact) => derive(sessionCost, fact, { tokens: fact.usage?.total_tokens ?? 0 }))),
 * });
 */
export function defineProcessor<const K extends EventKind>(
  definition: PipeDefinition<K>,
): Processor<OperatorStates>;
export function defineProcessor<State, const K extends EventKind>(
  definition: ReducerDefinition<State, K>,
): Processor<State>;
export function defineProcessor(
  definition: PipeDefinition<EventKind> | ReducerDefinition<unknown, EventKind>,
): Processor {
  check(definition);
  const { name, version, facts, emits } = definition;
  return {
    name,
    version,
    facts: typesOf(facts),
    inputs: topicsOf(facts),
    emits: typesOf(emits),
    events: definedAmong([...facts, ...emits]),
    key: (fact) => definition.key(fact),
    begin:
      "pipe" in definition
        ? (state, rules) => runPipe(definition, state as OperatorStates | undefined, rules)
        : (state, rules) => runReducer(definition.reduce, state, rules),
  };
}

function runReducer(reduce: Reduce<unknown, EventKind>, saved: unknown, rules: RulesLookup): KeyRun {
  let state = saved;
  let over = false;
  return {
    take(fact) {
      const output = reduce(state, fact, rules);
      ({ state, over = false } = output);
      return output.emit;
    },
    state: () => state,
    isOver: () => over,
  };
}
