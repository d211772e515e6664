import { expect, test } from "vitest";
import { anomaliesOf } from "./compare.ts";
import type { Outcome } from "./outcome.ts";

const outcome = (more: Partial<Outcome> = {}): Outcome => ({
  exported: '{"a":1}\n{"a":2}\n',
  tables: { sessions: ["one", "two"] },
  events: { "atlas.sessions": ["SessionStarted 1", "SessionEnded 2"] },
  twice: [],
  repeated: 0,
  broken: [],
  ...more,
});

const kinds = (got: Outcome): string[] => anomaliesOf(got, outcome()).map(({ kind }) => kind);

test("equal outcomes have no anomaly, also when readers dropped repetitions", () => {
  expect(kinds(outcome({ repeated: 3 }))).toEqual([]);
});

test("what is missing was lost, what is too much counts twice, and what changed is different", () => {
  expect(kinds(outcome({ tables: { sessions: ["one"] } }))).toEqual(["lost"]);
  expect(kinds(outcome({ tables: { sessions: ["one", "two", "two"] } }))).toEqual(["duplicated"]);
  expect(kinds(outcome({ tables: { sessions: ["one", "three"] } }))).toEqual(["different"]);
  expect(kinds(outcome({ events: { "atlas.sessions": ["SessionStarted 1"] } }))).toEqual(["lost"]);
  expect(kinds(outcome({ twice: ["SessionStarted 1"] }))).toEqual(["duplicated"]);
  expect(kinds(outcome({ broken: ["gap in atlas.sessions[0] from 3 to 4"] }))).toEqual(["lost"]);
});

test("a difference of exports is named by line and column", () => {
  const [anomaly] = anomaliesOf(outcome({ exported: '{"a":1}\n{"a":3}\n' }), outcome());
  expect(anomaly).toMatchObject({ kind: "different", what: expect.stringContaining("at 2:6") });
});
