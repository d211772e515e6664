import { expect, test } from "vitest";
import { emptyStored, type StoredTrace } from "../../projections/stored-events.ts";
import { TraceCache } from "../../projections/trace-cache.ts";

const state = (session: string, size: number, judged = false): StoredTrace => {
  const stored = emptyStored(session);
  if (judged) Object.assign(stored.trace, { judged: {} });
  return Object.assign(stored, { size });
};
const kept = (cache: TraceCache, ...sessions: string[]): string[] =>
  sessions.filter((session) => {
    const found = cache.take(session);
    if (found !== undefined) cache.put(found, 0);
    return found !== undefined;
  });

test("a session that goes on stays, however large: it is not read again for each of its batches", () => {
  const cache = new TraceCache(1000);
  cache.put(state("large", 10_000), 0);
  expect(kept(cache, "large")).toEqual(["large"]);
  cache.put(state("next", 10), 0);
  expect(kept(cache, "large", "next")).toEqual(["next"]);
});

test("a large one that is over is forgotten, and so is everything where nothing is to be kept", () => {
  const cache = new TraceCache(1000);
  cache.put(state("small", 10), 0);
  cache.put(state("over", 10_000, true), 0);
  expect(kept(cache, "small", "over")).toEqual(["small"]);
  const none = new TraceCache(0);
  none.put(state("large", 10), 0);
  expect(kept(none, "large")).toEqual([]);
});

test("those not used for longest go first", () => {
  const cache = new TraceCache(1000);
  for (const session of ["a", "b", "c"]) cache.put(state(session, 150), 0);
  cache.put(cache.take("a")!, 0);
  cache.put(state("d", 150), 0);
  expect(kept(cache, "a", "b", "c", "d")).toEqual(["a", "c", "d"]);
});
