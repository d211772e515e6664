import { AtlasError } from "../errors/atlas-error.ts";
import { createEvent } from "../schemas/codec.ts";
import type { AtlasEvent, Draft, EventType } from "../schemas/generated/events.ts";
import { idOf } from "../schemas/identity.ts";
import type { RulesLookup } from "../schemas/rules.ts";
import type { Emission, Processor } from "./processor.ts";

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
  /** For each event, which of the facts it comes from. */
  factOf: number[];
}

/**
 * Applies the facts of one key, in their order, to what was saved for it. A key that forgets its state keeps its
 * count of emitted events, so that its source's sequence never starts again, unless it is over.
 *
 * State of another version is never read: a processor whose logic changed has to be replayed from the log, which
 * the caller decides before it comes here.
 *
 * @param saved what the last call returned for this key; undefined for a new one
 * @throws AtlasError ATLAS_PROCESSOR_OUTDATED for state of another version; ATLAS_PROCESSOR_INVALID for an event that the
 *   processor does not say it emits
 * @example
 * const { keyState, events } = applyFacts(drift, saved, facts, (hash) => known.get(hash)!);
 */
export function applyFacts<State>(
  processor: Processor<State>,
  saved: KeyState<State> | undefined,
  facts: readonly AtlasEvent[],
  rules: RulesLookup,
): Applied<State> {
  if (saved !== undefined && saved.version !== processor.version) {
    throw otherVersion(processor, saved.version);
  }
  const run = processor.begin(saved?.state ?? undefined, rules);
  const events: AtlasEvent[] = [];
  const factOf: number[] = [];
  let emitted = saved?.emitted ?? 0;
  for (const [index, fact] of facts.entries()) {
    const source = `${processor.name}/${processor.key(fact)}`;
    for (const [place, emission] of run.take(fact).entries()) {
      emitted += 1;
      events.push(stamp(processor, { cause: fact, rulesHash: "", ...emission }, source, emitted, place));
      factOf.push(index);
    }
    if (run.isOver()) emitted = 0;
  }
  return { keyState: nextKeyState(processor.version, run.state(), emitted), events, factOf };
}

const otherVersion = ({ name, version }: Pick<Processor, "name" | "version">, saved: number): AtlasError =>
  new AtlasError(
    "ATLAS_PROCESSOR_OUTDATED",
    `version ${version} of ${name} found state of version ${saved}`,
    {
      where: `processor ${name}`,
      hint: "Somebody changed it: `atlas processors retire` forgets what a version has, and it begins anew.",
    },
  );

function nextKeyState<State>(
  version: number,
  state: State | undefined,
  emitted: number,
): KeyState<State> | undefined {
  return state === undefined && emitted === 0 ? undefined : { state, version, emitted };
}

/** Puts an emission into its envelope; nothing in it but the cause, the rules and the count decides its bytes. */
function stamp(
  { name, version, emits }: Pick<Processor, "name" | "version" | "emits">,
  {
    type: kind,
    draft,
    cause,
    rulesHash,
    ordinal,
  }: Required<Omit<Emission, "ordinal">> & Pick<Emission, "ordinal">,
  source: string,
  sequence: number,
  place: number,
): AtlasEvent {
  const type = typeof kind === "string" ? kind : kind.type;
  if (!emits.includes(type)) {
    throw new AtlasError("ATLAS_PROCESSOR_INVALID", `${name} emits ${type}, which it does not say`, {
      where: `processor ${name}`,
      hint: "Name it in `emits`.",
    });
  }
  const { event_id, session_id, occurred_at, time_assumed, trace_id } = cause.meta;
  return createEvent(
    type as EventType,
    {
      event_id: idOf(name, version, rulesHash, event_id, ordinal ?? place),
      session_id: session_id ?? null,
      source,
      sequence,
      occurred_at,
      time_assumed,
      causation_id: event_id,
      trace_id: trace_id ?? null,
      derivation: { processor: name, version, rules_hash: rulesHash, branch: null, revision: 0 },
    },
    (typeof kind === "string" ? draft : kind.fieldsOf(draft)) as Draft<EventType>,
  );
}
