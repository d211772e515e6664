import { held } from "../log/held.ts";
import { once } from "./once.ts";

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
