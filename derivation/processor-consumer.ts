import type { Apply, LogRecord, Unit } from "../log/event-log.ts";
import { groupOfVersion } from "../log/runner/versions.ts";
import type { Processor } from "../processors/processor.ts";
import { applyFacts, type KeyState } from "../processors/run-processor.ts";
import { alreadyMasked } from "../schemas/masked.ts";
import type { RulesLookup } from "../schemas/rules.ts";
import { loadStates, saveStates } from "./processor-state.ts";

interface Run {
  key: string;
  facts: LogRecord[];
}

/**
 * The facts of a batch that a processor looks at, as runs of one key. Runs keep the order of the batch, so that
 * what is emitted comes in the order of what caused it however the log was cut into batches.
 */
function runsOf(processor: Processor, batch: readonly LogRecord[]): Run[] {
  const runs: Run[] = [];
  for (const record of batch) {
    if (!processor.facts.includes(record.event.type)) continue;
    const key = processor.key(record.event);
    const last = runs.at(-1);
    if (last?.key === key) last.facts.push(record);
    else runs.push({ key, facts: [record] });
  }
  return runs;
}

/**
 * Runs a processor as a consumer whose rules are loaded before each unit: its state lives in the database, keyed, and is saved in the unit that emits.
 *
 * @param group under which its state is kept; that of its version unless told
 * @example
 * const versioned = { answeredElsewhere: () => answeredElsewhere(log) };
 * const options = { group: groupOfVersion(drift), versioned, topics: drift.inputs, prepare: rules.load };
 * await log.consume(options, processorConsumer(drift, rules.lookup));
 */
export function processorConsumer(
  processor: Processor,
  rules: RulesLookup,
  group: string = groupOfVersion(processor),
): Apply {
  return async (batch: readonly LogRecord[], unit: Unit) => {
    const runs = runsOf(processor, batch);
    if (runs.length === 0) return;
    const place = { group, partition: unit.partition };
    const states = new Map<string, KeyState | undefined>();
    const saved = await loadStates(unit.tx, place, [...new Set(runs.map(({ key }) => key))]);
    for (const { key, facts } of runs) {
      const before = states.has(key) ? states.get(key) : saved.get(key);
      const events = facts.map(({ event }) => event);
      const applied = applyFacts(processor, before, events, rules);
      states.set(key, applied.keyState);
      for (const [index, event] of applied.events.entries())
        unit.emit([alreadyMasked(event)], facts[applied.factOf[index]!]!);
    }
    await saveStates(unit.tx, place, states);
  };
}
