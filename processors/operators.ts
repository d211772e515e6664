import { filter, Observable, type OperatorFunction } from "rxjs";
import { type EventKind, type EventOfKind, typesOf } from "../schemas/event-kinds.ts";
import { claimed, type DurableOptions, durable } from "./durable.ts";

/**
 * Passes events of these kinds on, and no others.
 *
 * @example
 * facts$.pipe(ofType("ToolCallStarted", "ToolCallEnded"))
 */
export const ofType = <In extends { type: string }, const K extends EventKind>(
  ...kinds: readonly K[]
): OperatorFunction<In, Extract<In, EventOfKind<K>>> => {
  const types = new Set(typesOf(kinds));
  return filter((event: In): event is Extract<In, EventOfKind<K>> => types.has(event.type));
};

/**
 * RxJS's `scan` with a state that outlives the process: passes on the state after each value. A reducer that returns
 * undefined forgets, and nothing is passed on; the next value begins with the seed again.
 *
 * @param seed plain JSON
 * @example
 * facts$.pipe(scanState((tokens: number, { usage }) => tokens + (usage?.total_tokens ?? 0), 0))
 */
export const scanState = <In, State>(
  reduce: (state: State, value: In) => State | undefined,
  seed: State,
  options?: DurableOptions,
): OperatorFunction<In, State> =>
  durable<In, State, State>(
    "scanState",
    (before = seed, value) => {
      const state = reduce(before, value);
      return { state, out: state === undefined ? [] : [state] };
    },
    options,
  );

/**
 * Passes on the last values, the newest at the end: as many as there are, `size` at most.
 *
 * @param size how many values are kept; they are plain JSON, so map an event to what is needed of it first
 * @example
 * facts$.pipe(map(({ score }) => score), slidingWindow(50))
 */
export const slidingWindow = <In>(
  size: number,
  options?: DurableOptions,
): OperatorFunction<In, readonly In[]> =>
  durable<In, readonly In[], readonly In[]>(
    "slidingWindow",
    (before = [], value) => {
      const state = [...before, value].slice(-size);
      return { state, out: [state] };
    },
    options,
  );

/**
 * Passes each value on with the latest one of another stream, once that has had one: RxJS's `withLatestFrom`, with a
 * memory that outlives the process. Of one fact that both streams pass on, the other stream's value comes first.
 *
 * @param other$ a stream made of the same facts; its values are plain JSON
 * @example
 * ended$.pipe(joinLatest(facts$.pipe(ofType("SessionStarted"), map(({ tags }) => tags))))
 */
export const joinLatest =
  <In, Other>(other$: Observable<Other>, { name }: DurableOptions = {}): OperatorFunction<In, [In, Other]> =>
  (source) =>
    new Observable<[In, Other]>((subscriber) => {
      const cell = claimed<Other>("joinLatest", name);
      const others = other$.subscribe({
        next: (value) => {
          cell().value = value;
        },
        error: (error) => subscriber.error(error),
      });
      const own = source.subscribe({
        next: (value) => {
          const latest = cell().value;
          if (latest !== undefined) subscriber.next([value, latest]);
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
      cell();
      return () => {
        others.unsubscribe();
        own.unsubscribe();
      };
    });

/** Of so many values {@link distinctBy} remembers that it has passed them on, unless told. */
const REMEMBERED = 1000;

/**
 * Passes a value on unless one of the same key was passed on before. It remembers the last `most` keys: a state without a
 * bound would grow for ever.
 *
 * @param most how many keys are remembered; 1000 unless told
 * @example
 * facts$.pipe(distinctBy(({ name, arguments: args }) => `${name} ${args}`))
 */
export const distinctBy = <In>(
  keyOf: (value: In) => string,
  { most = REMEMBERED, ...options }: DurableOptions & { most?: number } = {},
): OperatorFunction<In, In> =>
  durable<In, In, readonly string[]>(
    "distinctBy",
    (before = [], value) => {
      const key = keyOf(value);
      return before.includes(key)
        ? { state: before, out: [] }
        : { state: [...before, key].slice(-most), out: [value] };
    },
    options,
  );
