import type { Apply, LogRecord, Unit } from "../log/event-log.ts";
import type { Processor } from "../processors/processor.ts";
import { applyFacts, type KeyState } from "../processors/run-processor.ts";
import type { EventOf, EventType } from "../schemas/generated/events.ts";
import { alreadyMasked } from "../schemas/masked.ts";
import type { RulesLookup } from "../schemas/rules.ts";
import { loadStates, saveStates } from "./processor-state.ts";

interface Run<T extends EventType> {
  key: string;
  facts: EventOf<T>[];
}

/**
 * The facts of a batch that a processor looks at, as runs of one key. Runs keep the order of the batch, so that
 * what is emitted comes in the order of what caused it however the log was cut into batches.
 */
function runsOf<State, T extends EventType>(
  processor: Processor<State, T>,
  batch: readonly LogRecord[],
): Run<T>[] {
  const runs: Run<T>[] = [];
  for (const { event } of batch) {
    if (!(processor.facts as readonly string[]).includes(event.type)) continue;
    const fact = event as EventOf<T>;
    const key = processor.key(fact);
    const last = runs.at(-1);
    if (last?.key === key) last.facts.push(fact);
    else runs.push({ key, facts: [fact] });
  }
  return runs;
}

/**
 * Runs a processor as a consumer whose rules are loaded before each unit: its state lives in the database, keyed, and is saved in the unit that emits.
 *
 * @example
 * const { name, inputs } = drift;
 * await log.consume({ group: name, topics: inputs, prepare: rules.load }, processorConsumer(drift, rules.lookup));
 */
export function processorConsumer<State, T extends EventType>(
  processor: Processor<State, T>,
  rules: RulesLookup,
): Apply {
  return async (batch: readonly LogRecord[], unit: Unit) => {
    const runs = runsOf(processor, batch);
    if (runs.length === 0) return;
    const place = { group: processor.name, partition: unit.partition };
    const states = new Map<string, KeyState<State> | undefined>();
    const saved = await loadStates<State>(unit.tx, place, [...new Set(runs.map(({ key }) => key))]);
    for (const { key, facts } of runs) {
      const before = states.has(key) ? states.get(key) : saved.get(key);
      const { keyState, events } = applyFacts(processor, before, facts, rules);
      states.set(key, keyState);
      unit.emit(events.map(alreadyMasked));
    }
    await saveStates(unit.tx, place, states);
  };
}
