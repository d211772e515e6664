import { Observable, type OperatorFunction } from "rxjs";
import { AtlasError } from "../errors/atlas-error.ts";

/** What the durable operators of one key remember, by name; plain JSON. */
export type OperatorStates = Record<string, unknown>;

/** The place of one operator in what is saved for a key. */
interface Cell<State> {
  value: State | undefined;
}

/** The durable operators of a pipe while it runs over the facts of one key. */
export class Cells {
  private readonly cells = new Map<string, Cell<unknown>>();
  private readonly saved: OperatorStates;
  private readonly who: string;
  private open = true;

  constructor(who: string, saved: OperatorStates = {}) {
    this.who = who;
    this.saved = saved;
  }

  /** Operators without a name of their own are numbered in the order in which they stand. */
  claim<State>(kind: string, name?: string): Cell<State> {
    const problem = (text: string, hint: string): AtlasError =>
      new AtlasError("ATLAS_PROCESSOR_INVALID", text, { where: `processor ${this.who}`, hint });
    if (!this.open)
      throw problem(
        `${name ?? kind} begins when facts are under way`,
        "Durable operators stand in the pipe itself, not in what mergeMap or groupBy make.",
      );
    if (name !== undefined && this.cells.has(name))
      throw problem(`two durable operators are called ${name}`, "Give each a name of its own.");
    let free = name ?? kind;
    for (let number = 2; this.cells.has(free); number += 1) free = `${kind} ${number}`;
    const cell: Cell<State> = { value: this.saved[free] as State | undefined };
    this.cells.set(free, cell);
    return cell;
  }

  /** Every operator has begun: one that begins later would have another place each time. */
  close(): void {
    this.open = false;
  }

  /** Nothing of the key is remembered any longer. */
  forget(): void {
    for (const cell of this.cells.values()) cell.value = undefined;
  }

  /** What there is to save; undefined where no operator remembers anything. */
  states(): OperatorStates | undefined {
    const kept = [...this.cells].filter(([, { value }]) => value !== undefined);
    return kept.length === 0 ? undefined : Object.fromEntries(kept.map(([name, { value }]) => [name, value]));
  }
}

/** The operators that begin now belong to this pipe. Pipes run synchronously, one within no other. */
let current: Cells | undefined;

/** Runs a body whose durable operators keep what they remember there. */
export function withCells<T>(cells: Cells, body: () => T): T {
  const before = current;
  current = cells;
  try {
    return body();
  } finally {
    current = before;
  }
}

/** A durable operator's name in what is saved; needed where operators of one kind may change places. */
export interface DurableOptions {
  name?: string;
}

/** What a durable operator makes of one value. */
export interface DurableStep<State, Out> {
  /** Plain JSON, small; undefined remembers nothing. */
  state: State | undefined;
  out: readonly Out[];
}

/**
 * Makes an operator that remembers: its state is saved with the processor's, in the unit of work, under its name.
 *
 * @param kind its name unless it is given one
 * @example
 * const pairs = <T>() => durable<T, [T, T], T>("pairs", (before, value) => ({
 *   state: value, out: before === undefined ? [] : [[before, value]],
 * }));
 */
export const durable =
  <In, Out, State>(
    kind: string,
    step: (state: State | undefined, value: In) => DurableStep<State, Out>,
    { name }: DurableOptions = {},
  ): OperatorFunction<In, Out> =>
  (source) =>
    new Observable<Out>((subscriber) => {
      const cell = claimed<State>(kind, name);
      const subscription = source.subscribe({
        next: (value) => {
          let made: DurableStep<State, Out>;
          try {
            made = step(cell().value, value);
          } catch (error) {
            subscriber.error(error);
            return;
          }
          cell().value = made.state;
          for (const one of made.out) subscriber.next(one);
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
      cell();
      return subscription;
    });

/**
 * The place of an operator in the pipe that begins now, taken when it is first asked for. An operator asks once its source has
 * begun, so that operators are numbered as one reads them.
 */
export function claimed<State>(kind: string, name?: string): () => Cell<State> {
  let cell: Cell<State> | undefined;
  return () => {
    cell ??= claim<State>(kind, name);
    return cell;
  };
}

function claim<State>(kind: string, name?: string): Cell<State> {
  if (current !== undefined) return current.claim<State>(kind, name);
  throw new AtlasError("ATLAS_PROCESSOR_INVALID", `${kind} is used outside a processor's pipe`, {
    hint: "There is nothing there that could keep what it remembers: RxJS has operators for that.",
  });
}
