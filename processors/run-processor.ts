import { Observable } from "rxjs";
import { AtlasError } from "../errors/atlas-error.ts";
import { createEvent } from "../schemas/codec.ts";
import type { AtlasEvent, Draft, EventOf, EventType } from "../schemas/generated/events.ts";
import { idOf } from "../schemas/identity.ts";
import type { RulesLookup } from "../schemas/rules.ts";
import { topicOf } from "../schemas/topics.ts";
import type { Emission, Output, Processor } from "./processor.ts";

/** What is saved for one key of a processor between units of work. */
export interface KeyState<State = unknown> {
  /** As the last output left it; undefined for a key that was forgotten after it had emitted, and may emit again. */
  state: State | undefined;
  /** Version of the processor that wrote it. */
  version: number;
  /** How many events the key has emitted: the last sequence of its source. */
  emitted: number;
}

/** What the facts of one key came to. */
export interface Applied<State = unknown> {
  /** To be saved in place of the former; undefined when nothing has to be kept. */
  keyState: KeyState<State> | undefined;
  events: AtlasEvent[];
}

/**
 * Applies the facts of one key, in their order, to what was saved for it. A key that forgets its state keeps its
 * count of emitted events, so that its source's sequence never starts again, unless it is over.
 *
 * State of another version is never read: a processor whose logic changed has to be replayed from the log, which
 * the caller decides before it comes here.
 *
 * @param saved what the last call returned for this key; undefined for a new one
 * @throws AtlasError ATLAS_PROCESSOR_IMPURE when the facts do not give one output each, at once;
 *   ATLAS_PROCESSOR_OUTDATED for state of another version; ATLAS_PROCESSOR_INVALID for an event of another topic
 * @example
 * const { keyState, events } = applyFacts(drift, saved, facts, (hash) => known.get(hash)!);
 */
export function applyFacts<State, T extends EventType>(
  processor: Processor<State, T>,
  saved: KeyState<State> | undefined,
  facts: readonly EventOf<T>[],
  rules: RulesLookup,
): Applied<State> {
  if (saved !== undefined && saved.version !== processor.version) {
    throw otherVersion(processor, saved.version);
  }
  let keyState = saved;
  const events: AtlasEvent[] = [];
  const outputs = outputsOf(processor, saved?.state ?? undefined, facts, rules);
  for (const [index, output] of outputs.entries()) {
    const source = `${processor.name}/${processor.key(facts[index]!)}`;
    const emitted = keyState?.emitted ?? 0;
    const stamped = output.emit.map((emission, place) =>
      stamp(processor, emission, source, emitted + place + 1, place),
    );
    for (const event of stamped) events.push(event);
    keyState = nextKeyState(processor.version, output, emitted + stamped.length);
  }
  return { keyState, events };
}

/** What is said of state that another version wrote: of an earlier one it is computed anew, a later one reads on. */
export function otherVersion(
  { name, version }: Pick<Processor, "name" | "version">,
  saved: number,
): AtlasError {
  return new AtlasError(
    "ATLAS_PROCESSOR_OUTDATED",
    `version ${version} of ${name} found state of version ${saved}`,
    {
      where: `processor ${name}`,
      hint:
        saved < version
          ? "Run `atlas rebuild --derived`: it computes the state anew from the log, and consumers go on."
          : "Upgrade this process: a later version of the package has gone on with this log.",
    },
  );
}

function nextKeyState<State>(
  version: number,
  { state, over = false }: Output<State>,
  emitted: number,
): KeyState<State> | undefined {
  return state === undefined && (over || emitted === 0) ? undefined : { state, version, emitted };
}

/** Runs `process` to its end and makes sure that each fact gave one output before the next one came. */
function outputsOf<State, T extends EventType>(
  processor: Processor<State, T>,
  state: State | undefined,
  facts: readonly EventOf<T>[],
  rules: RulesLookup,
): Output<State>[] {
  const impure = (problem: string, fact: EventOf<T> | undefined): AtlasError =>
    new AtlasError("ATLAS_PROCESSOR_IMPURE", `${processor.name} ${problem}`, {
      where: fact === undefined ? `processor ${processor.name}` : `${fact.type} ${fact.meta.event_id}`,
      hint: "Give exactly one output for each fact, without time or scheduler operators.",
    });
  const outputs: Output<State>[] = [];
  let misaligned: { outputs: number; fact: EventOf<T> } | undefined;
  const facts$ = new Observable<EventOf<T>>((subscriber) => {
    for (const [index, fact] of facts.entries()) {
      if (subscriber.closed) return;
      subscriber.next(fact);
      if (outputs.length !== index + 1) misaligned ??= { outputs: outputs.length - index, fact };
    }
    subscriber.complete();
  });
  let ended: "completed" | { error: unknown } | undefined;
  processor
    .process(facts$, state, rules)
    .subscribe({
      next: (output) => outputs.push(output),
      error: (error: unknown) => {
        ended = { error };
      },
      complete: () => {
        ended = "completed";
      },
    })
    .unsubscribe();
  if (typeof ended === "object") throw (ended as { error: unknown }).error;
  if (ended === undefined) throw impure("did not complete as soon as its facts did", facts.at(-1));
  if (misaligned !== undefined) {
    throw impure(`gave ${misaligned.outputs} outputs for a fact, not one`, misaligned.fact);
  }
  if (outputs.length !== facts.length) {
    throw impure(`gave ${outputs.length} outputs for ${facts.length} facts`, facts.at(-1));
  }
  return outputs;
}

/** Puts an emission into its envelope; nothing in it but the cause, the rules and the count decides its bytes. */
function stamp<State, T extends EventType>(
  processor: Processor<State, T>,
  emission: Emission,
  source: string,
  sequence: number,
  place: number,
): AtlasEvent {
  const { name, version, output } = processor;
  const { type, draft, cause, rulesHash } = emission;
  if (topicOf(type) !== output) {
    throw new AtlasError("ATLAS_PROCESSOR_INVALID", `${name} emits ${type}, which is not on ${output}`, {
      where: `processor ${name}`,
    });
  }
  const { event_id, session_id, occurred_at, time_assumed, trace_id } = cause.meta;
  return createEvent(
    type,
    {
      event_id: idOf(name, version, rulesHash, event_id, emission.ordinal ?? place),
      session_id: session_id ?? null,
      source,
      sequence,
      occurred_at,
      time_assumed,
      causation_id: event_id,
      trace_id: trace_id ?? null,
      derivation: { processor: name, version, rules_hash: rulesHash, branch: null, revision: 0 },
    },
    draft as Draft<typeof type>,
  );
}
