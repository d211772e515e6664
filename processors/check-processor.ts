import { AtlasError } from "../errors/atlas-error.ts";
import { decodeEvent, encodeEvent } from "../schemas/codec.ts";
import type { AtlasEvent } from "../schemas/generated/events.ts";
import { type Rules, type RulesLookup, stableJson } from "../schemas/rules.ts";
import { keyOf } from "../schemas/topics.ts";
import { withoutClockOrChance } from "./impure-calls.ts";
import { deepFreeze, jsonProblem } from "./plain-json.ts";
import type { Processor } from "./processor.ts";
import { type Applied, applyFacts, type KeyState } from "./run-processor.ts";

/** How to check a processor. */
export interface CheckOptions {
  rules: RulesLookup;
  /** How many ways of splitting, restarting and repeating are tried; 24 unless told. */
  runs?: number;
  /** Chooses the ways; 1 unless told. */
  seed?: number;
}

/** One fact of the first run, and what it came to. */
interface Step {
  fact: AtlasEvent;
  key: string;
  events: string[];
  keyState: string;
}

const KINDS = {
  again: "gives another result when it is run again: it remembers or asks something outside its state",
  split: "depends on how its facts are split into batches: it remembers something outside its state",
  restart: "depends on what a restart forgets: not all that it needs is in its state",
  repeat: "gives another result when facts are applied again from an earlier state",
} as const;

const WAYS = {
  again: "in another run",
  restart: "after a restart",
  repeat: "applied again from an earlier state",
} as const;

/**
 * Proves on the given facts that a processor is a pure function of them: no split into batches, no restart between
 * two of them and no repetition from an earlier state changes an event or a state; facts and states are not
 * changed; the clock, timers and chance are not asked; facts of one key lie in one partition; the state is plain JSON, and
 * what is emitted fits its schema. Facts of several keys may be mixed; other events are left out.
 *
 * @returns the events that the facts come to, in the order of the facts
 * @throws AtlasError ATLAS_PROCESSOR_IMPURE saying which of these failed, at which fact
 * @example
 * const { events } = checkProcessor(mine, facts, { rules: () => DEFAULT_RULES });
 */
export function checkProcessor(
  processor: Processor,
  facts: readonly AtlasEvent[],
  { rules, runs = 24, seed = 1 }: CheckOptions,
): { events: AtlasEvent[] } {
  const frozen = frozenRules(rules);
  const given = facts.filter((fact) => isFactOf(processor, fact)).map(asRead);
  const { steps, events } = firstRun(processor, given, frozen);
  const random = randomNumbers(seed);
  const others = ["split", "restart", "repeat"] as const;
  replay(processor, steps, frozen, "again", random);
  for (let run = 0; run < runs; run += 1) {
    replay(processor, steps, frozen, others[run % others.length]!, random);
  }
  return { events };
}

const isFactOf = (processor: Processor, fact: AtlasEvent): boolean => processor.facts.includes(fact.type);

/** A fact as it comes out of the log: defaults filled in, absent values null. */
function asRead<E extends AtlasEvent>(fact: E): E {
  const { fingerprint, body } = encodeEvent(fact);
  return deepFreeze(structuredClone(decodeEvent(fingerprint, body)) as E);
}

function frozenRules(rules: RulesLookup): RulesLookup {
  const known = new Map<string, Rules>();
  return (hash) => {
    const found = known.get(hash) ?? deepFreeze(structuredClone(rules(hash)));
    known.set(hash, found);
    return found;
  };
}

const throughJson = <V>(value: V | undefined): V | undefined =>
  value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as V);

const placeOf = (fact: AtlasEvent): string => `${fact.type} ${fact.meta.event_id}`;

const impure = (
  processor: { name: string },
  problem: string,
  fact: AtlasEvent,
  cause?: unknown,
): AtlasError =>
  new AtlasError("ATLAS_PROCESSOR_IMPURE", `${processor.name} ${problem}`, {
    where: placeOf(fact),
    hint: "Compute everything from the facts, the rules and the state; in a pipe, remember with scanState, slidingWindow, joinLatest or distinctBy.",
    cause,
  });

const apart = (
  { name }: Processor,
  fact: AtlasEvent,
  key: string,
  [one, other]: readonly [string, string],
): AtlasError =>
  new AtlasError(
    "ATLAS_PROCESSOR_IMPURE",
    `${name} has facts of the keys ${JSON.stringify(one)} and ${JSON.stringify(other)} under its key ${JSON.stringify(key)}`,
    {
      where: placeOf(fact),
      hint: "They may lie in different partitions, which nobody sees together: emit them as events of your own that are keyed by it, and let a second processor read those.",
    },
  );

/** Applies the facts one by one, with a restart between any two: what every other way is held against. */
function firstRun(
  processor: Processor,
  facts: readonly AtlasEvent[],
  rules: RulesLookup,
): { steps: Step[]; events: AtlasEvent[] } {
  const saved = new Map<string, KeyState | undefined>();
  const logKeys = new Map<string, string>();
  const events: AtlasEvent[] = [];
  const steps = facts.map((fact): Step => {
    const key = withoutClockOrChance(processor.name, placeOf(fact), () => processor.key(fact));
    if (typeof key !== "string") throw impure(processor, "has no key for it", fact);
    const logKey = logKeys.get(key) ?? keyOf(fact);
    if (logKey !== keyOf(fact)) throw apart(processor, fact, key, [logKey, keyOf(fact)]);
    logKeys.set(key, logKey);
    const before = deepFreeze(throughJson(saved.get(key)));
    const after = unchanging(processor, before, fact, rules);
    const state = after.keyState?.state;
    const problem = state === undefined ? undefined : jsonProblem(state, "state");
    if (problem !== undefined) throw impure(processor, `keeps what is not plain JSON: ${problem}`, fact);
    for (const event of after.events) encodeEvent(event);
    saved.set(key, after.keyState);
    for (const event of after.events) events.push(event);
    return { fact, key, events: after.events.map(stableJson), keyState: textOf(after.keyState) };
  });
  return { steps, events };
}

/** Applies one frozen fact to a frozen state under frozen rules; a write that fails on them succeeds on copies. */
function unchanging(
  processor: Processor,
  before: KeyState | undefined,
  fact: AtlasEvent,
  rules: RulesLookup,
): Applied {
  const where = placeOf(fact);
  try {
    return withoutClockOrChance(processor.name, where, () => applyFacts(processor, before, [fact], rules));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    try {
      const copies = [structuredClone(before), [structuredClone(fact)]] as const;
      withoutClockOrChance(processor.name, where, () =>
        applyFacts(processor, ...copies, (hash) => structuredClone(rules(hash))),
      );
    } catch {
      throw error;
    }
    throw impure(processor, `changes a fact, its state or the rules (${error.message})`, fact, error);
  }
}

const textOf = (keyState: KeyState | undefined): string => stableJson(keyState ?? null);

/** Applies the same facts in another way and compares what each batch came to. */
function replay(
  processor: Processor,
  steps: readonly Step[],
  rules: RulesLookup,
  kind: keyof typeof KINDS,
  random: () => number,
): void {
  let saved = new Map<string, KeyState | undefined>();
  let earlier = { at: 0, saved };
  let rewound = kind !== "repeat";
  for (let at = 0; at < steps.length; ) {
    const size = kind === "again" ? 1 : 1 + Math.floor(random() * random() * (steps.length - at));
    const batch = steps.slice(at, at + size);
    saved = new Map(saved);
    for (const [key, own] of shuffled(byKey(batch), random)) {
      const before = kind === "split" ? saved.get(key) : throughJson(saved.get(key));
      const facts = own.map(({ fact }) => fact);
      const where = placeOf(facts[0]!);
      const after = withoutClockOrChance(processor.name, where, () =>
        applyFacts(processor, before, facts, rules),
      );
      compare(processor, own, after, kind);
      saved.set(key, after.keyState);
    }
    at += size;
    if (!rewound && (at >= steps.length || random() < 0.3)) {
      rewound = true;
      ({ at, saved } = earlier);
    } else if (random() < 0.5) {
      earlier = { at, saved };
    }
  }
}

function byKey(steps: readonly Step[]): [string, Step[]][] {
  const groups = new Map<string, Step[]>();
  for (const step of steps) {
    const group = groups.get(step.key);
    if (group === undefined) groups.set(step.key, [step]);
    else group.push(step);
  }
  return [...groups];
}

function compare(
  processor: Processor,
  steps: readonly Step[],
  after: Applied,
  kind: keyof typeof KINDS,
): void {
  const got = after.events.map(stableJson);
  const differ = ({ fact }: Step, expected: string | undefined, found: string | undefined): AtlasError => {
    const way = kind === "split" ? `together with ${steps.length - 1} others` : WAYS[kind];
    const results = `one by one it gives ${shown(expected)}, and ${way} ${shown(found)}`;
    return impure(processor, `${KINDS[kind]}: ${results}`, fact);
  };
  let at = 0;
  for (const step of steps) {
    for (const event of step.events) {
      if (event !== got[at]) throw differ(step, event, got[at]);
      at += 1;
    }
  }
  const last = steps.at(-1)!;
  if (at !== got.length) throw differ(last, undefined, got[at]);
  const state = textOf(after.keyState);
  if (last.keyState !== state) throw differ(last, `the state ${last.keyState}`, `the state ${state}`);
}

/** What was compared, as far as a person would read it; an event without its envelope. */
function shown(result: string | undefined): string {
  if (result === undefined) return "nothing";
  if (!result.startsWith("{")) return shortened(result);
  const { meta: _, ...event } = JSON.parse(result) as { meta: unknown };
  return shortened(stableJson(event));
}

const shortened = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);

function shuffled<V>(values: readonly V[], random: () => number): V[] {
  return values
    .map((value) => ({ value, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

/** Numbers from 0 to 1 that depend on the seed only (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
