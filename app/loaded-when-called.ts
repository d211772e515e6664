import { held } from "../log/held.ts";

/** Does something when it is first asked for, and gives everybody what came of it. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

/** An object whose methods all answer later. */
type Answering<T> = { [K in keyof T]: (...args: never[]) => Promise<unknown> };

/**
 * An object that is loaded when one of its methods is first called: who only opens a log does not pay for all that can
 * be done with it. A call that is pending keeps the process alive.
 *
 * @param methods every method, by name
 */
export function loadedWhenCalled<T extends Answering<T>>(
  load: () => Promise<T>,
  methods: Record<keyof T, true>,
): T {
  const loaded = once(load);
  const names = Object.keys(methods) as (keyof T)[];
  const calls = names.map((name) => [
    name,
    (...args: never[]) => held(loaded().then((object) => object[name](...args))),
  ]);
  return Object.fromEntries(calls) as T;
}
