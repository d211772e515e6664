import { Subject } from "rxjs";
import type { EventKind, EventOfKind } from "../schemas/event-kinds.ts";
import type { RulesLookup } from "../schemas/rules.ts";
import { Cells, type OperatorStates, withCells } from "./durable.ts";
import type { Emission, KeyRun, Pipe } from "./processor.ts";

/** What of a definition runs. */
interface RunnablePipe {
  name: string;
  pipe: Pipe<EventKind>;
  ends?(fact: EventOfKind<EventKind>): boolean;
}

/**
 * Runs a pipe over the facts of one key. It never ends: the next batch, in whichever process, goes on from what its
 * durable operators have saved.
 */
export function runPipe(
  { name, pipe, ends }: RunnablePipe,
  saved: OperatorStates | undefined,
  rules: RulesLookup,
): KeyRun {
  const cells = new Cells(name, saved);
  const facts$ = new Subject<EventOfKind<EventKind>>();
  let emissions: Emission[] = [];
  let over = false;
  let failure: { error: unknown } | undefined;
  const failed = (error: unknown): void => {
    failure ??= { error };
  };
  const within = (body: () => void): void => {
    withCells(cells, body);
    if (failure !== undefined) throw failure.error;
  };
  within(() => {
    pipe(facts$.asObservable(), { rules }).subscribe({
      next: (emission) => emissions.push(emission),
      error: failed,
    });
  });
  cells.close();
  return {
    take(fact) {
      emissions = [];
      within(() => facts$.next(fact));
      over = ends?.(fact) === true;
      if (over) cells.forget();
      return emissions;
    },
    state: () => cells.states(),
    isOver: () => over,
  };
}
