import { AtlasError } from "../errors/atlas-error.ts";

/** Replaces one property and says how to put it back. */
function replace(target: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, before);
  };
}

/** What runs later than the fact that asked for it. */
const TIMERS = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"];

/**
 * Runs a synchronous body while the clock, timers and the sources of chance throw, and fails when it asked one of them,
 * even if it caught what they threw. What is reached in another way shows when the body is run again.
 *
 * @throws AtlasError ATLAS_PROCESSOR_IMPURE naming what was called
 * @example
 * const output = withoutClockOrChance("drift", "fact 7", () => applyFacts(drift, saved, facts, rules));
 */
export function withoutClockOrChance<T>(who: string, where: string, body: () => T): T {
  let called: AtlasError | undefined;
  const trap = (name: string) => (): never => {
    called ??= new AtlasError("ATLAS_PROCESSOR_IMPURE", `${who} calls ${name}`, {
      where,
      hint: "Take times and ids from the facts, and answer a fact at once.",
    });
    throw called;
  };
  const trappedDate = new Proxy(Date, {
    construct: (target, args, newTarget) =>
      args.length === 0 ? trap("new Date()")() : Reflect.construct(target, args, newTarget),
    apply: trap("Date()"),
    get: (target, name, receiver) =>
      name === "now" ? trap("Date.now()") : Reflect.get(target, name, receiver),
  });
  const restore = [
    replace(globalThis, "Date", trappedDate),
    replace(performance, "now", trap("performance.now()")),
    replace(
      process,
      "hrtime",
      Object.assign(trap("process.hrtime()"), { bigint: trap("process.hrtime.bigint()") }),
    ),
    ...TIMERS.map((name) => replace(globalThis, name, trap(`${name}()`))),
    replace(Math, "random", trap("Math.random()")),
    replace(crypto, "randomUUID", trap("crypto.randomUUID()")),
    replace(crypto, "getRandomValues", trap("crypto.getRandomValues()")),
  ];
  let result: T;
  try {
    result = body();
  } catch (error) {
    throw called ?? error;
  } finally {
    for (const undo of restore) undo();
  }
  if (called !== undefined) throw called;
  return result;
}
