import type { Observable } from "rxjs";
import type { EventDefinition } from "../schemas/define-event.ts";
import type { EventDescription } from "../schemas/event-definitions.ts";
import type { EventKind, EventOfKind } from "../schemas/event-kinds.ts";
import type { AtlasEvent, Draft, EventType, Meta } from "../schemas/generated/events.ts";
import type { RulesLookup } from "../schemas/rules.ts";
import type { Topic } from "../schemas/topics.ts";

/** The event that a derived one comes from; a processor may keep these few fields of it in its state. */
export interface Cause {
  meta: Pick<Meta, "event_id" | "session_id" | "occurred_at" | "time_assumed" | "trace_id">;
}

/** What every emission says beside the event. */
interface Emitted {
  /** Gives the derived event its time, session and trace, and takes part in its id. */
  cause: Cause;
  /** The rules that it was computed by; empty where no rule took part. */
  rulesHash: string;
  /** Tells apart what one cause gives rise to; the place within the output unless told. */
  ordinal?: number;
}

/** A derived event without its envelope, which is computed from the cause. */
export interface EmissionOf<T extends EventType> extends Emitted {
  type: T;
  draft: Draft<T>;
}

/** An emission of an event that a user defined; {@link derive} makes it. */
export interface DefinedEmission extends Partial<Emitted> {
  type: EventDefinition;
  draft: object;
}

/** An emission of any event. */
export type Emission = { [T in EventType]: EmissionOf<T> }[EventType] | DefinedEmission;

/** What a reducer makes of one fact. */
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
 * Makes the next output of the last state and one fact, changing neither. `state` is undefined for a key that is new or was
 * forgotten.
 */
export type Reduce<State, K extends EventKind> = (
  state: State | undefined,
  fact: EventOfKind<K>,
  rules: RulesLookup,
) => Output<State>;

/**
 * Makes a stream of emissions of the facts of one key, in their order: none, one or several for each fact, at once. What it
 * remembers it keeps in durable operators (`scanState`, `slidingWindow`, `joinLatest`, `distinctBy`); operators of RxJS that
 * remember nothing work as they are.
 */
export type Pipe<K extends EventKind> = (
  facts$: Observable<EventOfKind<K>>,
  context: { rules: RulesLookup },
) => Observable<Emission>;

/** A processor as it runs over the facts of one key, from what was saved of it. */
export interface KeyRun<State = unknown> {
  /** What a fact gives rise to. */
  take(fact: AtlasEvent): readonly Emission[];
  /** What is to be saved now; undefined forgets the key. */
  state(): State | undefined;
  /** Whether nothing more will come of the key: then not even the count of what it emitted is kept. */
  isOver(): boolean;
}

/**
 * A pure function of events and of its own state for each key: no clock, no I/O, no chance, nothing remembered
 * elsewhere. That is what makes everything derived from the log the same wherever it is computed.
 */
export interface Processor<State = unknown> {
  readonly name: string;
  readonly version: number;
  /** Types of the only events that it is given. */
  readonly facts: readonly string[];
  /** Where they are. */
  readonly inputs: readonly Topic[];
  /** Types of the only events that it emits. */
  readonly emits: readonly string[];
  /** What users defined of those that it looks at or emits. */
  readonly events: readonly EventDescription[];
  key(fact: AtlasEvent): string;
  /** @param state what was saved of the key; undefined for one that is new or was forgotten */
  begin(state: State | undefined, rules: RulesLookup): KeyRun<State>;
}

/**
 * An event of your own, as what a processor emits.
 *
 * @param cause what it comes from; the fact that the processor is at, unless told
 * @example
 * map(({ tokens }) => derive(tenantCost, { tenant: "north", tokens }))
 */
export const derive = <Draft extends object>(
  type: EventDefinition<string, object, Draft>,
  draft: Draft,
  cause?: Cause,
): DefinedEmission => ({ type: type as EventDefinition, draft, ...(cause !== undefined && { cause }) });
