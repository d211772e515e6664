import { ModelFailure } from "./model-error.ts";

/** The statuses of servers that took a request and refused what is in it. */
const REFUSED: readonly unknown[] = [400, 404, 415, 422, 501];

const refusalOf = (error: unknown, words: RegExp): RegExpExecArray | null =>
  error instanceof ModelFailure && REFUSED.includes(error.status) ? words.exec(error.message) : null;

/** What was refused, and in which words. */
export type Refused<F extends string> = ReadonlyMap<F, RegExpExecArray>;

/**
 * Asks with the fields that we add to a request ourselves, and once more without each that a server refuses. Remembers
 * what was refused.
 *
 * @param words by the name of a field, how servers speak of it when they refuse it
 * @example
 * const added = addedFields({ stream_options: /stream_options/ });
 * const reply = await added((refused) => send(refused.has("stream_options") ? plain : counted));
 */
export function addedFields<F extends string>(words: Readonly<Record<F, RegExp>>) {
  const known = new Map<F, RegExpExecArray>();
  const names = Object.keys(words) as F[];

  return async <T>(ask: (refused: Refused<F>) => Promise<T>): Promise<T> => {
    for (;;) {
      const without = new Map(known);
      try {
        return await ask(without);
      } catch (error) {
        const told = names.map((name) => (without.has(name) ? null : refusalOf(error, words[name])));
        const at = told.findIndex((refusal) => refusal !== null);
        if (at < 0) throw error;
        known.set(names[at]!, told[at]!);
      }
    }
  };
}
